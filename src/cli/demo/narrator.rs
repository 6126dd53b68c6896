//! The printed form of the demo: numbered steps with an explanation, the equivalent command, and
//! figures. Coloured on a terminal, plain in a pipe, JSON objects with `--json`.

use std::cell::Cell;

use rollbook_migrations::validate::Check;
use serde_json::json;

use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::output::{BAD, BOLD, FAINT, GOOD, styled};

pub(super) struct Narrator {
    out: Output,
    steps: Cell<u32>,
}

/// The length of a line, in bytes.
const WIDTH: usize = 100;

impl Narrator {
    pub(super) fn new(out: Output) -> Self {
        Self { out, steps: Cell::new(0) }
    }

    fn say(&self, kind: &str, plain: &str, text: &str) -> Result<(), CliError> {
        if self.out.is_json() {
            self.out.json(&json!({ "step": self.steps.get(), kind: plain }))
        } else {
            self.out.text(text)
        }
    }

    pub(super) fn title(&self, title: &str, remark: &str) -> Result<(), CliError> {
        self.say("title", title, &format!("{}\n{}\n", styled(BOLD, title), styled(FAINT, remark)))
    }

    pub(super) fn step(
        &self,
        title: &str,
        why: &str,
        command: Option<&str>,
    ) -> Result<(), CliError> {
        self.steps.set(self.steps.get() + 1);
        self.say(
            "title",
            title,
            &format!("\n{}\n", styled(BOLD, format!("{:>2}. {title}", self.steps.get()))),
        )?;
        let lines: String = wrapped(why).into_iter().map(|line| format!("    {line}\n")).collect();
        self.say("why", why, &lines)?;
        match command {
            Some(command) => self.say(
                "command",
                command,
                &format!("    {}\n", styled(FAINT, format!("$ {command}"))),
            ),
            None => Ok(()),
        }
    }

    pub(super) fn figure(&self, text: &str) -> Result<(), CliError> {
        self.say("figure", text, &format!("    {} {}\n", styled(GOOD, "→"), styled(BOLD, text)))
    }

    pub(super) fn detail(&self, text: &str) -> Result<(), CliError> {
        self.say("detail", text, &format!("      {text}\n"))
    }

    pub(super) fn check(&self, check: &Check) -> Result<(), CliError> {
        let mark = if check.green { styled(GOOD, "green") } else { styled(BAD, "red") };
        self.say(
            "check",
            &check.name,
            &format!("      {mark}  {:<22} {}\n", check.name, styled(FAINT, &check.detail)),
        )
    }

    pub(super) fn block(&self, lines: &[String]) -> Result<(), CliError> {
        lines.iter().try_for_each(|line| self.say("line", line, &format!("      {line}\n")))
    }

    pub(super) fn closing(&self, title: &str, commands: &[String]) -> Result<(), CliError> {
        self.say("closing", title, &format!("\n{}\n", styled(BOLD, title)))?;
        commands.iter().try_for_each(|command| self.say("next", command, &format!("  {command}\n")))
    }
}

/// Wraps text into lines of at most `WIDTH` bytes.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
