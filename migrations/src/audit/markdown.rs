//! The audit report as Markdown: tables of totals, weeks and clients, then the findings by kind.

use std::fmt::Write as _;

use super::{AuditReport, Finding, FindingGroup, ResponsesByWeek};

pub(super) fn report(report: &AuditReport) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_report(report, &mut text);
    text
}

fn write_report(report: &AuditReport, out: &mut String) -> std::fmt::Result {
    writeln!(out, "# Audit\n")?;
    writeln!(out, "As of {}, days in the time zone {}.\n", report.now, report.legacy_timezone)?;
    let totals = &report.totals;
    writeln!(out, "| what | how many |\n|---|---:|")?;
    for (what, count) in [
        ("clients", totals.clients),
        ("assignments", totals.assignments),
        ("responses", totals.responses),
        ("series", totals.series),
        ("weeks expected", totals.weeks_expected),
        ("weeks stored", totals.weeks_stored),
        ("weeks missing", totals.weeks_missing),
    ] {
        writeln!(out, "| {what} | {count} |")?;
    }
    writeln!(out, "\n## Responses by week\n\n| week | responses |\n|---:|---:|")?;
    for (week, count) in &report.responses_by_week.weeks {
        writeln!(out, "| {week} | {count} |")?;
    }
    if report.responses_by_week.unknown > 0 {
        writeln!(out, "| unknown | {} |", report.responses_by_week.unknown)?;
    }
    write_clients(report, out)?;
    write_findings(report, out)
}

fn write_clients(report: &AuditReport, out: &mut String) -> std::fmt::Result {
    writeln!(
        out,
        "\n## Clients\n\n| client | series | assignments | responses | responses by week |\n|---|---:|---:|---:|---|"
    )?;
    for (client, figures) in &report.clients {
        let by_week = by_week(&figures.responses_by_week);
        writeln!(
            out,
            "| {} | {} | {} | {} | {by_week} |",
            code(client).replace('|', "\\|"),
            figures.series,
            figures.assignments,
            figures.responses
        )?;
    }
    Ok(())
}

fn by_week(responses: &ResponsesByWeek) -> String {
    let mut parts: Vec<String> =
        responses.weeks.iter().map(|(week, count)| format!("{week}:{count}")).collect();
    if responses.unknown > 0 {
        parts.push(format!("unknown:{}", responses.unknown));
    }
    parts.join(" ")
}

fn write_findings(report: &AuditReport, out: &mut String) -> std::fmt::Result {
    writeln!(out, "\n## Findings\n")?;
    if report.findings.is_empty() {
        return writeln!(out, "None.");
    }
    writeln!(out, "| code | how many | what it is |\n|---|---:|---|")?;
    for group in &report.findings {
        writeln!(
            out,
            "| {} | {} | {} |",
            group.code.code(),
            group.count,
            group.explanation.replace('|', "\\|")
        )?;
    }
    report.findings.iter().try_for_each(|group| write_group(group, out))
}

fn write_group(group: &FindingGroup, out: &mut String) -> std::fmt::Result {
    writeln!(out, "\n### {} ({})\n", group.code.code(), group.count)?;
    writeln!(out, "{}\n\nMigration: {}\n", group.explanation, group.migration)?;
    group.findings.iter().try_for_each(|finding| write_finding(finding, out))
}

fn write_finding(finding: &Finding, out: &mut String) -> std::fmt::Result {
    write!(out, "- client {}", code(&finding.client))?;
    if let Some(form) = &finding.form {
        write!(out, ", form {}", code(form))?;
    }
    if let Some(week) = finding.week {
        write!(out, ", week {week}")?;
    }
    let documents: Vec<String> = finding.documents.iter().map(String::as_str).map(code).collect();
    write!(out, ": {}", documents.join(", "))?;
    match &finding.field {
        Some(field) => writeln!(out, ", field {}", code(field))?,
        None => writeln!(out)?,
    }
    match &finding.resolve {
        Some(resolve) => writeln!(out, "  - resolve: {}", code(resolve)),
        None => Ok(()),
    }
}

/// An id as inline code. A backtick or a line break in it must not end the code.
fn code(id: &str) -> String {
    if id.is_empty() {
        return "(none)".to_owned();
    }
    let plain: String = id.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let longest_run = plain.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest_run + 1);
    let pad = if longest_run > 0 { " " } else { "" };
    format!("{fence}{pad}{plain}{pad}{fence}")
}
