//! OpenTelemetry traces: one span for each request, exported by OTLP over HTTP if an endpoint is
//! configured. A request with a `traceparent` header continues the caller's trace.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use axum::http::HeaderMap;
use bytes::Bytes;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{Span, SpanKind, Status, Tracer, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::{HeaderExtractor, HttpClient, HttpError};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};

use super::TelemetryError;
use super::targets;
use crate::configuration::Telemetry;

/// How long sending a batch of spans may take.
const SEND_TIMEOUT: Duration = Duration::from_secs(5);

/// Where spans go.
#[derive(Debug)]
pub struct Traces {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    propagator: TraceContextPropagator,
}

/// A request's span while it is under way. Ended when dropped.
#[derive(Debug)]
pub struct RequestSpan(opentelemetry_sdk::trace::Span);

impl Traces {
    /// As configured; `None` without an endpoint.
    ///
    /// # Errors
    /// [`TelemetryError::Exporter`].
    pub(super) fn new(settings: &Telemetry) -> Result<Option<Self>, TelemetryError> {
        let Some(endpoint) = &settings.endpoint else { return Ok(None) };
        let headers = settings.headers.iter().flatten().filter_map(|header| header.split_once('='));
        let headers: HashMap<String, String> =
            headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Client::new())
            .with_endpoint(endpoint.clone());
        let exporter = exporter.with_headers(headers).with_timeout(SEND_TIMEOUT).build()?;
        let part = Sampler::TraceIdRatioBased(f64::from(settings.traced_percent) / 100.0);
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(Sampler::ParentBased(Box::new(part)))
            .with_resource(
                Resource::builder().with_service_name(settings.service_name.clone()).build(),
            )
            .build();
        let tracer = provider.tracer("rollbook");
        Ok(Some(Self { provider, tracer, propagator: TraceContextPropagator::new() }))
    }

    /// A span that begins now.
    pub fn begin(&self, method: &'static str, route: &str, headers: &HeaderMap) -> RequestSpan {
        let parent =
            self.propagator.extract_with_context(&Context::new(), &HeaderExtractor(headers));
        let builder = self
            .tracer
            .span_builder(format!("{method} {route}"))
            .with_kind(SpanKind::Server)
            .with_start_time(SystemTime::now());
        let attributes = [
            KeyValue::new("http.request.method", method),
            KeyValue::new("http.route", route.to_owned()),
        ];
        RequestSpan(self.tracer.build_with_context(builder.with_attributes(attributes), &parent))
    }

    /// Sends what waits, and no more.
    pub(super) fn end(&self) {
        if let Err(error) = self.provider.shutdown_with_timeout(SEND_TIMEOUT) {
            tracing::warn!(target: targets::TELEMETRY, %error, "the last traces could not be sent");
        }
    }
}

impl RequestSpan {
    /// Says how the request ended.
    pub fn end(mut self, status: u16, request_id: &str, view: Option<&str>) {
        self.0.set_attribute(KeyValue::new("http.response.status_code", i64::from(status)));
        self.0.set_attribute(KeyValue::new("rollbook.request_id", request_id.to_owned()));
        if let Some(view) = view {
            self.0.set_attribute(KeyValue::new("rollbook.view", view.to_owned()));
        }
        if status >= 500 {
            self.0.set_status(Status::error(""));
        }
        self.0.end();
    }
}

/// Sends by the client that fetches the issuer's keys too. It blocks, and runs on the exporter's
/// own thread.
#[derive(Debug)]
struct Client(ureq::Agent);

impl Client {
    fn new() -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(SEND_TIMEOUT))
            .max_redirects(0)
            .http_status_as_error(false);
        Self(config.build().into())
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, HttpError> {
        let (parts, body) = request.into_parts();
        let answer = self.0.run(http::Request::from_parts(parts, body.to_vec()))?;
        let (parts, mut body) = answer.into_parts();
        Ok(http::Response::from_parts(parts, body.read_to_vec()?.into()))
    }
}
