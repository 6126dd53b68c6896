//! The documents of the old application, with its field names.

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::people::{Client, Coach, Draw, Form, nth};
use super::shape::{Answer, Series};

pub fn instant(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

pub fn client(client: &Client) -> Value {
    let address =
        format!("{}.{}.{}@example.com", client.first_name, client.last_name, client.number)
            .to_lowercase();
    let mut document = json!({
        "_id": client.id,
        "firstName": client.first_name,
        "lastName": client.last_name,
        "email": address,
        "coachId": client.coach_id,
        "status": "active",
        "onboardingStatus": "completed",
        "createdAt": instant(client.created_at),
    });
    if let (Some(auth_uid), Some(fields)) = (&client.auth_uid, document.as_object_mut()) {
        fields.insert(String::from("authUid"), json!(auth_uid));
    }
    document
}

pub fn coach(coach: &Coach) -> Value {
    json!({
        "_id": coach.id,
        "profile": { "firstName": coach.first_name, "lastName": coach.last_name },
        "email": coach_address(coach),
    })
}

pub fn user(coach: &Coach) -> Value {
    json!({ "_id": coach.id, "role": "coach", "email": coach_address(coach) })
}

fn coach_address(coach: &Coach) -> String {
    format!("coach{}@example.com", coach.number)
}

pub fn form(form: &Form) -> Value {
    json!({
        "_id": form.id,
        "title": form.title,
        "coachId": form.coach_id,
        "isActive": true,
        "createdAt": instant(form.created_at),
    })
}

/// The assignment documents of a series: week 1, and each week that was stored with its response.
pub fn assignments(series: &Series) -> Vec<Value> {
    series
        .answers
        .iter()
        .filter(|answer| answer.is_stored_under_its_week())
        .map(|answer| assignment(series, answer))
        .collect()
}

fn assignment(series: &Series, answer: &Answer) -> Value {
    let due = series.due(answer.week);
    let id = match answer.week {
        1 => series.legacy_id.clone(),
        week => format!("{}_week_{week}", series.legacy_id),
    };
    json!({
        "_id": answer.assignment_id,
        "id": id,
        "formId": series.form.id,
        "formTitle": series.form.title,
        "clientId": series.client.id,
        "coachId": series.client.coach_id,
        "frequency": "weekly",
        "duration": series.total_weeks,
        "startDate": (due - Duration::weeks(1)).date_naive().to_string(),
        "firstCheckInDate": due.date_naive().to_string(),
        "dueDate": instant(due),
        "dueTime": "09:00",
        "checkInWindow": null,
        "status": "completed",
        "assignedAt": instant(series.assigned_at),
        "completedAt": instant(answer.submitted_at),
        "score": answer.score,
        "responseCount": answer.questions,
        "isRecurring": series.is_recurring(),
        "recurringWeek": answer.week,
        "totalWeeks": series.total_weeks,
        "responseId": answer.response_id,
        "totalQuestions": answer.questions,
        "answeredQuestions": answer.questions,
        "updatedAt": instant(answer.submitted_at),
    })
}

/// The response documents of a series.
pub fn responses(series: &Series) -> Vec<Value> {
    series.answers.iter().map(|answer| response(series, answer)).collect()
}

fn response(series: &Series, answer: &Answer) -> Value {
    let mut draw = answer.draw.clone();
    json!({
        "_id": answer.response_id,
        "assignmentId": answer.assignment_id,
        "formId": series.form.id,
        "formTitle": series.form.title,
        "clientId": series.client.id,
        "coachId": series.client.coach_id,
        "responses": (1..=answer.questions).map(|number| question(number, &mut draw)).collect::<Vec<_>>(),
        "score": answer.score,
        "totalQuestions": answer.questions,
        "answeredQuestions": answer.questions,
        "submittedAt": instant(answer.submitted_at),
        "status": "completed",
        "recurringWeek": answer.says_its_week.then_some(answer.week),
    })
}

const REMARKS: [&str; 4] = [
    "Slept better than last week",
    "Two workouts missed",
    "Nothing to add",
    "Energy was good until Thursday",
];

fn question(number: u32, draw: &mut Draw) -> Value {
    let answer = match draw.below(4) {
        0 => json!("yes"),
        1 => json!("no"),
        2 => json!(1 + draw.below(10)),
        _ => json!(nth(&REMARKS, draw.below(4))),
    };
    json!({
        "questionId": format!("q{number}"),
        "question": format!("Question {number}"),
        "answer": answer,
        "weight": 1 + draw.below(10),
        "score": 1 + draw.below(10),
    })
}
