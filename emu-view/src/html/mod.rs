//! Pages in HTML: each is one file, with its style and its script in it, and loads nothing.
//!
//! A page is a title, a sentence, and blocks; `templates/` turns it into text. What a kind of
//! report becomes is in a file of its own.

mod fold;
mod link;
mod report;
mod state;
mod table;
mod trace;

use minijinja::Environment;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use serde::Serialize;

pub use report::{Found, check, check_all, compare, conform, prove, prove_all, run, workload};
use table::Table;
use trace::Trace;

/// A page.
#[derive(Debug, Default, Serialize)]
struct Page {
    title: String,
    /// What it says, in a sentence.
    lead: String,
    /// The lead is bad news.
    bad: bool,
    /// Names and values.
    facts: Vec<(&'static str, String)>,
    blocks: Vec<Block>,
}

/// What the outermost template is given.
#[derive(Debug, Serialize)]
struct Whole<'p> {
    page: &'p Page,
    style: &'static str,
    script: &'static str,
}

/// A part of a page.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", content = "of", rename_all = "lowercase")]
enum Block {
    Heading {
        id: String,
        text: String,
        bad: bool,
    },
    /// Links to headings.
    Contents(Vec<(String, String)>),
    Paragraph(String),
    /// Text as it is, under a name.
    Text {
        name: String,
        text: String,
    },
    Trace(Trace),
    Table(Table),
    Bars(Bars),
}

/// Bars beside each other, on one scale.
#[derive(Debug, Default, Serialize)]
struct Bars {
    name: String,
    /// What the first and the second bar of each row are.
    legend: Vec<&'static str>,
    rows: Vec<BarRow>,
}

#[derive(Debug, Default, Serialize)]
struct BarRow {
    label: String,
    /// Each value as text, and its part of the longest bar in per mille.
    bars: Vec<(String, u64)>,
}

impl Bars {
    /// Bars of values on the scale of the greatest.
    fn new(
        name: &str,
        legend: Vec<&'static str>,
        rows: impl IntoIterator<Item = (String, Vec<u64>)>,
    ) -> Self {
        let rows: Vec<(String, Vec<u64>)> = rows.into_iter().collect();
        let most = rows.iter().flat_map(|(_, values)| values).copied().max().unwrap_or(0).max(1);
        let bar = |value: u64| (emu_lab::render::text::grouped(value), value * 1000 / most);
        let rows = rows
            .into_iter()
            .map(|(label, values)| BarRow { label, bars: values.into_iter().map(bar).collect() });
        Self { name: name.to_owned(), legend, rows: rows.collect() }
    }
}

/// A longer record does not stand in a page as text as well.
const TEXT_MAX: usize = 4000;

/// The text of a page.
fn render(page: &Page) -> String {
    let mut templates = Environment::new();
    let syntax = SyntaxConfig::builder().trim_blocks(true).build();
    templates.set_syntax(syntax.expect("the usual delimiters"));
    for (name, text) in [
        ("page.html", include_str!("templates/page.html")),
        ("trace.html", include_str!("templates/trace.html")),
        ("table.html", include_str!("templates/table.html")),
        ("bars.html", include_str!("templates/bars.html")),
    ] {
        templates.add_template(name, text).expect("a template of ours is one");
    }
    let style = include_str!("templates/style.css");
    let script = include_str!("templates/script.js");
    let whole = Whole { page, style, script };
    let template = templates.get_template("page.html").expect("it was added above");
    template.render(Serde(&whole)).expect("a page has what its template asks for")
}
