//! Charts of the measurements, as SVG.
//!
//! Each chart has a file; `canvas` is what they draw on.

mod bars;
mod canvas;
mod scale;
mod speed_up;
mod timeline;

pub(crate) use bars::bars;
pub(crate) use speed_up::speed_up;
pub(crate) use timeline::timeline;

/// The colours of Okabe and Ito, which colour-blind people can tell apart, without those that are
/// faint on white or on black.
const COLORS: [u32; 7] = [0xe69f00, 0x0072b2, 0x009e73, 0xcc79a7, 0xd55e00, 0x56b4e9, 0x999999];

/// Asserts that a chart is well-formed, and that all its texts are inside.
#[cfg(test)]
fn check(svg: &str) {
    let mut open = Vec::new();
    for piece in svg.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').expect("each < has its >");
        assert!(!text.contains('>'), "{piece}");
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        match (tag.strip_prefix('/'), tag.ends_with('/')) {
            (Some(name), _) => assert_eq!(open.pop(), Some(name), "{svg}"),
            (None, true) => {}
            (None, false) => open.extend(tag.split(' ').next()),
        }
    }
    assert!(open.is_empty() && svg.starts_with("<svg "), "{svg}");
    assert!(svg.trim_end().ends_with("</svg>"), "{svg}");
}
