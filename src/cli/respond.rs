//! `rollbook respond`: answers a week. The answers come from the argument itself, a file, or stdin.

use std::io::Read;
use std::path::Path;

use clap::Args;
use rollbook_application::operations::respond;
use rollbook_application::store::{Reading, StoreError, WeekRef};
use rollbook_domain::json::JsonError;
use rollbook_domain::series::assignment_id;
use rollbook_domain::series::decide::Rejection;
use rollbook_domain::{JsonText, Number, Position, StreamId};
use serde::Serialize;

use super::Context;
use super::arguments::WriteOptions;
use super::output::{BOLD, styled};
use crate::cli::error::CliError;

const EXAMPLES: &str = "\
Examples:
  rollbook respond 7c0f9f5e-4c1b-5d6e-8f3a-2b1c0d9e8f7a --score 80
  rollbook respond base42_week_3 --answers answers.json
  rollbook respond series/ada/weekly --week 3 --answers '[{\"questionId\": \"q1\", \"answer\": \"yes\", \"weight\": 5, \"score\": 8}]'

Answering an answered week writes nothing and gives the first response: exit code 0, alreadyCompleted true.";

/// Answer a week.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct RespondArguments {
    /// Any id of the assignment; or a series, with --week.
    #[arg(value_name = "ID")]
    id: String,
    /// The answers: a JSON array, a file that holds one, or - for stdin.
    #[arg(long, value_name = "FILE|-|JSON", default_value = "[]")]
    answers: String,
    /// The score, 0 to 100. Default computed from the answers.
    #[arg(long, value_name = "N")]
    score: Option<u32>,
    /// The week, where ID names a series.
    #[arg(long, value_name = "N")]
    week: Option<u32>,
    #[command(flatten)]
    writing: WriteOptions,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Responded {
    assignment_id: String,
    response_id: String,
    score: Option<Number>,
    already_completed: bool,
    week: u32,
    position: Option<Position>,
}

impl RespondArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        let answers = read_answers(&self.answers)?;
        let store = context.open()?;
        let reading = store.reading();
        let named = self.named(&reading)?;
        let response = respond(&reading, &named, answers, self.score, &self.writing.request())?;
        context.fold(&store)?;
        let responded = Responded {
            assignment_id: shown_id(&store.reading(), &named)?,
            response_id: response.id,
            score: response.score,
            already_completed: response.already_completed,
            week: named.week,
            position: response.position,
        };
        context.output.either(&responded, || responded.text())
    }

    fn named(&self, reading: &Reading<'_>) -> Result<WeekRef, CliError> {
        match (self.week, self.id.starts_with("series/")) {
            (Some(week), true) => {
                let stream = reading.series_named(&self.id)?;
                let run = reading.series(&stream)?.series.latest_run();
                Ok(WeekRef { stream, run, week })
            }
            (None, false) => Ok(reading.assignment(&self.id)?),
            (None, true) => Err(CliError::Usage(format!(
                "{} is a series; say which --week is answered",
                self.id
            ))),
            (Some(_), false) => Err(CliError::Usage(
                "--week goes with a series; an assignment's id names its week already".to_owned(),
            )),
        }
    }
}

/// The id of a week as the pre-created view has it: the document's, or the assignment's own.
fn shown_id(reading: &Reading<'_>, named: &WeekRef) -> Result<String, CliError> {
    let WeekRef { stream, run, week } = named;
    let StreamId::Series { client, form } = stream else {
        return Err(StoreError::NoSeries(stream.to_string()).into());
    };
    let folded = reading.series(stream)?;
    let derived = || assignment_id(client, form, *run, *week).to_string();
    let item = folded.series.items.week(*run, *week);
    Ok(item.map_or_else(derived, |item| item.stored.document.clone()))
}

/// The answers from the argument itself, a file, or stdin.
fn read_answers(argument: &str) -> Result<JsonText, CliError> {
    let inline = argument.trim_start();
    let text = if inline.starts_with(['[', '{']) {
        argument.to_owned()
    } else {
        let read = if argument == "-" {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map(|_bytes| text)
        } else {
            std::fs::read_to_string(Path::new(argument))
        };
        read.map_err(|source| CliError::Input { path: argument.into(), source })?
    };
    JsonText::parse(&text).map_err(|error| of_json(error).into())
}

fn of_json(error: JsonError) -> Rejection {
    match error {
        JsonError::TooDeep { limit, found } => {
            Rejection::TooDeep { what: "the list of answers", limit, found }
        }
        JsonError::Json(error) => Rejection::BadAnswers(error.to_string()),
    }
}

impl Responded {
    fn text(&self) -> String {
        let score = self
            .score
            .map_or_else(|| "no score".to_owned(), |score| format!("score {}", score.value()));
        let (response, assignment, week) = (&self.response_id, &self.assignment_id, self.week);
        match self.position {
            Some(position) => {
                let answered = styled(BOLD, format!("week {week} answered"));
                format!(
                    "{answered}: response {response}, {score}\nassignment {assignment}, position {position}\n"
                )
            }
            None => {
                let before = styled(BOLD, format!("week {week} was answered before"));
                format!(
                    "{before}: response {response}, {score}\nassignment {assignment}, nothing written\n"
                )
            }
        }
    }
}
