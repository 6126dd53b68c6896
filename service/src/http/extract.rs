//! Extractors: JSON bodies, query strings, paths, the idempotency key. Input that cannot be parsed
//! becomes an error with a code. `layers` limits the size.

use std::fmt;
use std::marker::PhantomData;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, JsonRejection};
use axum::extract::{FromRequest, FromRequestParts, Json, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use rollbook_application::code::Code;
use rollbook_domain::JsonText;
use rollbook_domain::json::{JsonError, levels};
use rollbook_domain::limits::JSON_LEVELS;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::error::ApiError;

/// A JSON body.
#[derive(Clone, Copy, Debug)]
pub struct Body<T>(pub T);

/// A JSON body that may be absent. The default replaces an absent body.
#[derive(Clone, Copy, Debug)]
pub struct OptionalBody<T>(pub T);

/// A JSON body as canonical text. Every number keeps its digits.
#[derive(Clone, Debug)]
pub struct JsonBody(pub JsonText);

/// The query string.
#[derive(Clone, Copy, Debug)]
pub struct QueryOf<T>(pub T);

/// The parameters of the path.
#[derive(Clone, Copy, Debug)]
pub struct PathOf<T>(pub T);

/// The header `Idempotency-Key`, if the request has one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestKey(pub Option<String>);

/// The maximum length of an idempotency key, in characters.
const LONGEST_KEY: usize = 255;

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let (request, _) = shallow(request, state).await?;
        let Json(Object(body)) = Json::from_request(request, state).await.map_err(of_json)?;
        Ok(Self(body))
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for OptionalBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let (request, is_empty) = shallow(request, state).await?;
        if is_empty {
            return Ok(Self(T::default()));
        }
        let Json(body): Json<Option<Object<T>>> =
            Json::from_request(request, state).await.map_err(of_json)?;
        // `null` counts as absent.
        Ok(Self(body.map(|Object(body)| body).unwrap_or_default()))
    }
}

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let (request, _) = shallow(request, state).await?;
        let Json(raw): Json<Box<RawValue>> =
            Json::from_request(request, state).await.map_err(of_json)?;
        let unfit = |error: JsonError| {
            ApiError::bad_request(Code::BadBody, format!("The body does not fit: {error}"))
        };
        JsonText::parse(raw.get()).map(Self).map_err(unfit)
    }
}

/// Reads the body and refuses it if it is nested too deep, before anything parses it. Also returns
/// whether the body is empty.
async fn shallow<S: Send + Sync>(request: Request, state: &S) -> Result<(Request, bool), ApiError> {
    let (parts, body) = request.into_parts();
    let bytes = Bytes::from_request(Request::new(body), state)
        .await
        .map_err(|rejection| of_bytes(&rejection))?;
    let found = levels(&bytes);
    if found > JSON_LEVELS {
        let refused = JsonError::TooDeep { limit: JSON_LEVELS, found };
        return Err(ApiError::bad_request(Code::TooDeep, refused.to_string()));
    }
    let is_empty = bytes.is_empty();
    Ok((Request::from_parts(parts, bytes.into()), is_empty))
}

/// A JSON object. A derived type alone would also accept an array of its fields.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields(PhantomData))
    }
}

struct Fields<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
    type Value = Object<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(fields)).map(Object)
    }
}

fn of_json(rejection: JsonRejection) -> ApiError {
    match rejection {
        JsonRejection::JsonSyntaxError(error) => {
            ApiError::bad_request(Code::BadJson, format!("The body is no JSON: {}", cause(&error)))
        }
        JsonRejection::JsonDataError(error) => ApiError::bad_request(
            Code::BadBody,
            format!("The body does not fit: {}", cause(&error)),
        ),
        JsonRejection::MissingJsonContentType(_) => ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Code::NoJson,
            "Send the body as content-type: application/json",
        ),
        JsonRejection::BytesRejection(error) => of_bytes(&error),
        other => ApiError::new(other.status(), Code::BadBody, other.body_text()),
    }
}

/// Makes the error for a body that could not be read to its end.
pub fn of_bytes(error: &BytesRejection) -> ApiError {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, Code::TooLarge, "The body is too large")
    } else {
        ApiError::bad_request(Code::BadBody, "The body could not be read to its end")
    }
}

/// Returns the message of serde about the caller's input.
fn cause(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for QueryOf<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Query::from_request_parts(parts, state).await {
            Ok(Query(query)) => Ok(Self(query)),
            Err(rejection) => Err(ApiError::bad_request(
                Code::BadQuery,
                format!("The query does not fit: {}", cause(&rejection)),
            )),
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for PathOf<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(path)) => Ok(Self(path)),
            Err(rejection) => Err(ApiError::bad_request(Code::BadPath, rejection.body_text())),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RequestKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        let Some(key) = parts.headers.get("idempotency-key") else { return Ok(Self(None)) };
        let readable = |key: &&str| {
            (1..=LONGEST_KEY).contains(&key.len())
                && key.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        };
        match key.to_str().ok().map(str::trim).filter(readable) {
            Some(key) => Ok(Self(Some(key.to_owned()))),
            None => Err(ApiError::bad_request(
                Code::BadKey,
                format!("An Idempotency-Key has 1 to {LONGEST_KEY} visible ASCII characters"),
            )),
        }
    }
}
