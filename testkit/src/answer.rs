//! What the service answers.

use std::collections::BTreeMap;

use serde_json::Value;

/// A complete answer.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers by their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body as it came.
    pub text: String,
    /// The body as a JSON value; as a string where it is no JSON.
    pub body: Value,
}

impl Answer {
    /// The body, which must be JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The body, which must be JSON on every line.
    pub fn lines(&self) -> Vec<Value> {
        crate::lines(&self.text)
    }

    /// A header; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The name of the view that answered; empty where none is named.
    pub fn view(&self) -> &str {
        self.header("x-rollbook-view")
    }

    /// The position that the answer is of. It must name one.
    pub fn position(&self) -> u64 {
        self.header("x-rollbook-position")
            .parse()
            .unwrap_or_else(|_| panic!("no position: {self:?}"))
    }

    /// The message of an answer to a path under `/api`; empty where there is none.
    pub fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }

    /// The code of a refusal, which must have the form of RFC 9457.
    pub fn code(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status, "{self:?}");
        for field in ["type", "title", "detail"] {
            assert!(problem[field].as_str().is_some_and(|text| !text.is_empty()), "{self:?}");
        }
        problem["code"].as_str().unwrap().to_owned()
    }
}
