//! The custom section `wpool:tasks`: one line of JSON for each task.
//!
//! Every task has a static of its own, and linkers join sections of one name. Therefore each line
//! ends in a line feed, and the section is read as lines.

use std::fmt::Write;

use crate::parse::{Output, Task};
use crate::types;

/// Returns the line that describes `task`, with its line feed.
pub(crate) fn line(task: &Task) -> String {
    let params = task.params.iter().map(|param| {
        format!(r#"{{"name":{},"type":{}}}"#, json(&param.name), json(&types::wit_name(&param.ty)))
    });
    let params = params.collect::<Vec<_>>().join(",");
    let result = match &task.output {
        Output::Nothing | Output::Fallible(None) => "null".into(),
        Output::Value(ty) | Output::Fallible(Some(ty)) => json(&types::wit_name(ty)),
    };
    let doc = task.doc.as_ref().map(|doc| format!(r#","doc":{}"#, json(doc))).unwrap_or_default();
    let name = json(&task.name);
    let default = if task.default { r#","default":true"# } else { "" };
    format!("{{\"name\":{name},\"params\":[{params}],\"result\":{result}{default}{doc}}}\n")
}

/// Returns `text` as a JSON string.
fn json(text: &str) -> String {
    let mut quoted = String::from('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => quoted.extend(['\\', char]),
            '\0'..='\x1f' => {
                write!(quoted, "\\u{:04x}", u32::from(char)).expect("a String takes all text");
            }
            _ => quoted.push(char),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use proc_macro2::TokenStream;
    use syn::{ItemFn, parse_quote};

    use super::*;

    fn check(function: ItemFn, expect: &str) {
        let task = crate::parse::task(&TokenStream::new(), &function).expect("is a task");
        assert_eq!(line(&task), format!("{expect}\n"));
    }

    #[test]
    fn a_scalar_task_is_one_line() {
        check(
            parse_quote! {
                /// The square of `n`.
                ///
                /// Overflow panics.
                pub fn square(n: i64) -> i64 { n * n }
            },
            r#"{"name":"square","params":[{"name":"n","type":"s64"}],"result":"s64","doc":"The square of `n`."}"#,
        );
    }

    #[test]
    fn a_byte_task_is_one_line() {
        check(
            parse_quote!(
                fn r#match(text: &str, _seed: usize) -> Result<Vec<f64>, E> {
                    todo!()
                }
            ),
            r#"{"name":"match","params":[{"name":"text","type":"string"},{"name":"seed","type":"u32"}],"result":"list<f64>"}"#,
        );
    }

    #[test]
    fn no_result_is_null() {
        check(
            parse_quote!(
                fn f() {}
            ),
            r#"{"name":"f","params":[],"result":null}"#,
        );
        check(
            parse_quote!(
                fn f() -> Result<(), E> {
                    Ok(())
                }
            ),
            r#"{"name":"f","params":[],"result":null}"#,
        );
    }

    #[test]
    fn the_default_task_is_marked() {
        let function = parse_quote!(
            fn f() {}
        );
        let task = crate::parse::task(&parse_quote!(default), &function).expect("is a task");
        let expect = r#"{"name":"f","params":[],"result":null,"default":true}"#;
        assert_eq!(line(&task), format!("{expect}\n"));
    }

    #[test]
    fn documentation_is_quoted() {
        check(
            parse_quote! {
                #[doc = "A \"quoted\" back\\slash,\ttab."]
                fn f() {}
            },
            r#"{"name":"f","params":[],"result":null,"doc":"A \"quoted\" back\\slash,\u0009tab."}"#,
        );
    }
}
