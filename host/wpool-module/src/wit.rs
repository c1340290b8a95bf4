//! The world of a component as WIT, which has the names of types and the documentation.

use super::description::Task;
use wit_component::{DecodedWasm, OutputToString, WitPrinter};
use wit_parser::{Function, PackageId, Resolve, Type, World, WorldId, WorldItem};

/// A world that can be written as WIT.
pub(super) struct Decoded {
    resolve: Resolve,
    world: WorldId,
    /// The text of the world, and of the packages of the interfaces that it exports.
    pub(super) text: String,
}

/// Returns the world of a component that has been validated. Returns `None` if WIT cannot express
/// it, as with some components that were not made from WIT.
pub(super) fn world(component: &[u8]) -> Option<Decoded> {
    let DecodedWasm::Component(resolve, world) = wit_component::decode(component).ok()? else {
        return None;
    };
    let text = print(&resolve, &resolve.worlds[world])?;
    Some(Decoded { resolve, world, text })
}

impl Decoded {
    /// Gives a task the names of its types, and its documentation.
    pub(super) fn describe(&self, task: &mut Task) {
        let (interface, name) = match task.name.rsplit_once('#') {
            Some((interface, name)) => (Some(interface), name),
            None => (None, task.name.as_str()),
        };
        let Some(function) = self.exported(interface, name) else { return };
        for (param, known) in task.params.iter_mut().flatten().zip(&function.params) {
            param.ty = self.name(&known.ty).unwrap_or(std::mem::take(&mut param.ty));
        }
        if let ([result], Some(known)) = (task.results.as_mut_slice(), &function.result) {
            *result = self.name(known).unwrap_or(std::mem::take(result));
        }
        let docs = function.docs.contents.as_deref().unwrap_or_default();
        let paragraph = docs.trim().split("\n\n").next().unwrap_or_default();
        task.doc = (!paragraph.is_empty()).then(|| paragraph.to_owned());
    }

    fn exported(&self, interface: Option<&str>, name: &str) -> Option<&Function> {
        let exports = &self.resolve.worlds[self.world].exports;
        exports.iter().find_map(|(key, item)| match (item, interface) {
            (WorldItem::Function(function), None) if function.name == name => Some(function),
            (WorldItem::Interface { id, .. }, Some(interface))
                if self.resolve.name_world_key(key) == interface =>
            {
                self.resolve.interfaces[*id].functions.get(name)
            }
            _ => None,
        })
    }

    /// Returns a type in the words of WIT: `list<point>`.
    fn name(&self, ty: &Type) -> Option<String> {
        let mut printer = WitPrinter::new(OutputToString::default());
        printer.print_type_name(&self.resolve, ty).ok()?;
        Some(String::from(printer.output))
    }
}

fn print(resolve: &Resolve, world: &World) -> Option<String> {
    let package = world.package?;
    let exported = world.exports.values().filter_map(|item| match item {
        WorldItem::Interface { id, .. } => resolve.interfaces[*id].package,
        _ => None,
    });
    // The packages of WASI are well known and not shown.
    let is_shown =
        |id: &PackageId| *id != package && resolve.packages[*id].name.namespace != "wasi";
    let mut exported: Vec<_> = exported.filter(is_shown).collect();
    exported.dedup();
    let mut printer = WitPrinter::new(OutputToString::default());
    printer.print(resolve, package, &exported).ok()?;
    Some(String::from(printer.output))
}
