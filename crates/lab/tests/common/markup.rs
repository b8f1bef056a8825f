//! What tests read out of pages.

use std::collections::BTreeSet;

/// Elements that have no end in HTML, which we end all the same.
const VOID: [&str; 2] = ["meta", "br"];

/// What is wrong with a page as XML: every element ends where it must, every attribute is quoted and named once, every
/// sign is escaped, every id is named once.
pub(crate) fn flaw(page: &str) -> Option<String> {
    let mut rest = page.strip_prefix("<!DOCTYPE html>\n")?;
    let (mut open, mut ids): (Vec<&str>, BTreeSet<&str>) = (Vec::new(), BTreeSet::new());
    while !rest.is_empty() {
        let (text, markup) = rest.split_once('<').unwrap_or((rest, ""));
        if open.last() != Some(&"style") && (text.contains('>') || !is_escaped(text)) {
            return Some(format!("a sign is not escaped in {text:?}"));
        }
        if markup.is_empty() {
            break;
        }
        let (tag, behind) = markup.split_once('>')?;
        rest = behind;
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop() != Some(name) {
                return Some(format!("</{name}> ends what is not open: {open:?}"));
            }
            continue;
        }
        let (tag, ends) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        if name.is_empty() || !name.chars().all(|it| it.is_ascii_alphanumeric()) {
            return Some(format!("<{tag}> has no name"));
        }
        if let Some(flaw) = attributes_flaw(attributes, &mut ids) {
            return Some(format!("<{tag}>: {flaw}"));
        }
        if VOID.contains(&name) && !ends {
            return Some(format!("<{name}> does not end"));
        }
        if !ends {
            open.push(name);
        }
    }
    (!open.is_empty()).then(|| format!("never ended: {open:?}"))
}

fn attributes_flaw<'a>(text: &'a str, ids: &mut BTreeSet<&'a str>) -> Option<String> {
    let mut names = BTreeSet::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let Some((name, behind)) = rest.split_once("=\"") else {
            return Some(format!("{rest:?} is no attribute"));
        };
        let Some((value, behind)) = behind.split_once('"') else {
            return Some(format!("{name} is not quoted"));
        };
        if !names.insert(name) || name.contains([' ', '<']) || !is_escaped(value) {
            return Some(format!("{name}={value:?}"));
        }
        if name == "id" && !ids.insert(value) {
            return Some(format!("the id {value} is there twice"));
        }
        rest = behind.trim_start();
    }
    None
}

/// Whether every `&` begins one of the names that we write.
fn is_escaped(text: &str) -> bool {
    let names = ["amp;", "lt;", "gt;", "quot;", "#39;"];
    text.split('&').skip(1).all(|behind| names.iter().any(|name| behind.starts_with(name)))
}

/// The numbers of the arrows of a class.
pub(crate) fn drawn(page: &str, class: &str) -> BTreeSet<u64> {
    let behind = page.split(class).skip(1);
    let numbers = behind.filter_map(|text| {
        let (_, number) = text.split_once('>')?.0.split_once("data-number=\"")?;
        number.split_once('"')?.0.parse().ok()
    });
    numbers.collect()
}

/// Whether a picture that may be wider than a telephone stands in a box that scrolls instead of the page.
pub(crate) fn scrolls_in_its_box(page: &str, picture: &str) -> bool {
    let pictures = page.matches(&format!("<svg class=\"{picture}\"")).count();
    let boxed = page.matches(&format!("<div class=\"wide\"><svg class=\"{picture}\"")).count();
    pictures > 0 && pictures == boxed && page.contains(".wide { overflow-x: auto; }")
}
