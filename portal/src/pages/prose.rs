//! Text of publishers as a page: a small part of Markdown, and never any HTML of theirs.
//!
//! Headings, lists, paragraphs, fenced code, `code`, **bold** and links to `https:`. Everything else is shown as it was
//! written. Every character goes through maud's escaping; nothing here writes a tag by hand.

use maud::{Markup, html};

/// Most lines that are looked at; release notes are cut before they get here.
const MAX_LINES: usize = 2000;

/// A part of a text.
enum Block<'a> {
    Heading(usize, &'a str),
    List(Vec<Vec<&'a str>>),
    Code(Vec<&'a str>),
    Paragraph(Vec<&'a str>),
}

/// The text as a page's content. Headings begin at the third level: they stand below the page's own.
pub(super) fn render(text: &str) -> Markup {
    html! {
        @for block in blocks(text) {
            @match block {
                Block::Heading(1, line) => h3 { (inline(line)) },
                Block::Heading(_, line) => h4 { (inline(line)) },
                Block::List(items) => ul { @for item in items { li { (flowing(&item)) } } },
                Block::Code(lines) => pre { @for line in lines { (line) "\n" } },
                Block::Paragraph(lines) => p { (flowing(&lines)) },
            }
        }
    }
}

/// Lines that are one text.
fn flowing(lines: &[&str]) -> Markup {
    html! { @for (n, line) in lines.iter().enumerate() { @if n > 0 { " " } (inline(line)) } }
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut in_code = false;
    let mut open = false;
    for line in text.lines().take(MAX_LINES) {
        let trimmed = line.trim();
        if trimmed.starts_with("```") {
            in_code = !in_code;
            if in_code {
                blocks.push(Block::Code(Vec::new()));
            }
            open = false;
            continue;
        }
        if in_code {
            if let Some(Block::Code(lines)) = blocks.last_mut() {
                lines.push(line);
            }
            continue;
        }
        if trimmed.is_empty() {
            open = false;
            continue;
        }
        let marks = trimmed.bytes().take_while(|b| *b == b'#').count();
        if (1..=6).contains(&marks) && trimmed[marks..].starts_with(' ') {
            blocks.push(Block::Heading(marks, trimmed[marks..].trim()));
            open = false;
            continue;
        }
        let item = ["- ", "* "].iter().find_map(|mark| trimmed.strip_prefix(mark));
        match (item, blocks.last_mut()) {
            (Some(item), Some(Block::List(items))) if open => items.push(vec![item]),
            (Some(item), _) => blocks.push(Block::List(vec![vec![item]])),
            // A line that is set in goes on with the item before it.
            (None, Some(Block::List(items))) if open && line.starts_with([' ', '\t']) => {
                items.last_mut().into_iter().for_each(|item| item.push(trimmed));
            }
            (None, Some(Block::Paragraph(lines))) if open => lines.push(trimmed),
            (None, _) => blocks.push(Block::Paragraph(vec![trimmed])),
        }
        open = true;
    }
    blocks
}

/// Code, bold and links in a line.
fn inline(line: &str) -> Markup {
    html! {
        @for piece in pieces(line) {
            @match piece {
                Piece::Text(text) => (text),
                Piece::Code(text) => code { (text) },
                Piece::Bold(text) => strong { (text) },
                Piece::Link(text, to) => a href=(to) rel="nofollow noopener noreferrer" { (text) },
            }
        }
    }
}

#[derive(Debug, PartialEq)]
enum Piece<'a> {
    Text(&'a str),
    Code(&'a str),
    Bold(&'a str),
    Link(&'a str, &'a str),
}

fn pieces(line: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = line;
    while !rest.is_empty() {
        let Some(at) = rest.find(['`', '*', '[']) else {
            pieces.push(Piece::Text(rest));
            break;
        };
        match special(&rest[at..]) {
            Some((piece, length)) => {
                if at > 0 {
                    pieces.push(Piece::Text(&rest[..at]));
                }
                pieces.push(piece);
                rest = &rest[at + length..];
            }
            // The marks are of one byte each.
            None => {
                pieces.push(Piece::Text(&rest[..=at]));
                rest = &rest[at + 1..];
            }
        }
    }
    pieces
}

/// What begins here, and how long it is.
fn special(text: &str) -> Option<(Piece<'_>, usize)> {
    let between = |mark: &str| -> Option<&str> {
        let inner = text.strip_prefix(mark)?;
        let end = inner.find(mark).filter(|end| *end > 0)?;
        Some(&inner[..end])
    };
    if let Some(code) = between("`") {
        return Some((Piece::Code(code), code.len() + 2));
    }
    if let Some(bold) = between("**") {
        return Some((Piece::Bold(bold), bold.len() + 4));
    }
    let inner = text.strip_prefix('[')?;
    let (label, after) = inner.split_once("](")?;
    let (to, _) = after.split_once(')')?;
    // Other schemes do what their name says; a link that is none is only text.
    let safe = to.starts_with("https://") && to.bytes().all(|b| b.is_ascii_graphic());
    (safe && !label.is_empty() && !label.contains('['))
        .then(|| (Piece::Link(label, to), label.len() + to.len() + 4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_small_part_of_markdown_is_a_page() {
        let text = "# 1.0\n\nA **bold** `word`\nin two lines.\n\n- one [link](https://example.org/a?b=c&d)\n  goes on\n- two\n\n```\n<a>\n- b\n```";
        let page = render(text).into_string();
        assert_eq!(
            page,
            "<h3>1.0</h3><p>A <strong>bold</strong> <code>word</code> in two lines.</p><ul><li>one \
             <a href=\"https://example.org/a?b=c&amp;d\" rel=\"nofollow noopener noreferrer\">link</a> goes on</li><li>two</li></ul>\
             <pre>&lt;a&gt;\n- b\n</pre>"
        );
    }

    #[test]
    fn nothing_of_a_publishers_is_a_tag_or_an_attribute() {
        for text in [
            "<script>alert(1)</script>",
            "[x](javascript:alert(1))",
            "[x](https://a\" onclick=\"b)",
            "[x](https://a b)",
            "`<img src=x onerror=1>`",
            "**<b>**",
            "# <svg onload=1>",
            "- <a href='x'>",
            "[<i>](https://example.org)",
            "```\n</pre><script>",
        ] {
            let page = render(text).into_string();
            for tag in [
                "<script",
                "<img",
                "<b>",
                "<svg",
                "<i>",
                "<a href='",
                "href=\"javascript",
                "onclick=\"",
                "</pre><s",
            ] {
                assert!(!page.contains(tag), "{text}: {page}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_written_and_every_tag_is_one_of_ours(text in "[\\[\\]()`*#<>\"'& a-z:/\\n-]{0,200}") {
            let page = render(&text).into_string();
            for tag in page.split('<').skip(1) {
                let name: String = tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
                let ours = ["h3", "h4", "p", "ul", "li", "pre", "code", "strong", "a"];
                proptest::prop_assert!(ours.contains(&name.as_str()), "{}", page);
            }
        }
    }
}
