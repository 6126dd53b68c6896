//! The option `--format`, and tables in Markdown.

use clap::ValueEnum;

use super::output::Output;

/// The format of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Text for a terminal.
    Table,
    /// Markdown, for a ticket or a page.
    Md,
    /// JSON, the same as `--json`.
    Json,
}

impl Format {
    /// The given format. Without one, `--json` selects JSON.
    pub(super) fn of(format: Option<Self>, output: Output) -> Self {
        format.unwrap_or(if output.is_json() { Self::Json } else { Self::Table })
    }
}

/// One row of a Markdown table. Characters that would end a cell or a row are escaped.
pub(super) fn md_row<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    let cells = cells.into_iter().map(|cell| {
        let line: String = cell.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        line.replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;")
    });
    let mut row = String::from("|");
    for cell in cells {
        row.push(' ');
        row.push_str(&cell);
        row.push_str(" |");
    }
    row.push('\n');
    row
}

/// The header of a Markdown table.
pub(super) fn md_head(columns: &[&str]) -> String {
    format!("{}{}", md_row(columns.iter().copied()), md_row(columns.iter().map(|_| "---")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_cannot_end_its_row() {
        assert_eq!(md_row(["a|b", "two\nlines", "<b>"]), "| a\\|b | two lines | &lt;b> |\n");
        assert_eq!(md_head(&["x", "y"]), "| x | y |\n| --- | --- |\n");
    }
}
