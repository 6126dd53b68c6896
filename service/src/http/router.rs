//! All routes on one page: method, path and handler, in groups that carry their limits.
//!
//! A handler's `#[utoipa::path]` repeats its method and path for the OpenAPI document; a test
//! compares both.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use utoipa::OpenApi;
use utoipa_axum::routes;

use super::description::pages::Documents;
use super::description::{Description, pages};
use super::drop_in::{
    allocation, assignments, check_ins, corrections, feedback, respond, series, weekly,
};
use super::limits::RouteLimits;
use super::native::{
    self, audit, backups, checkpoints, corrections as repairs, documents, events, findings,
    history, imports, live, migrations, seen, status, switch,
};
use super::routes::{self, RouteGroup};
use super::service::Service;
use super::{health, metrics, ofrep};

/// Every route that the OpenAPI document describes.
pub fn groups() -> Vec<RouteGroup> {
    vec![
        drop_in_reads(),
        drop_in_commands(),
        native_reads(),
        native_commands(),
        operations(),
        imports(),
        feature_flags(),
        metrics_of_service(),
        health_checks(),
    ]
}

/// The old application's endpoints that read.
fn drop_in_reads() -> RouteGroup {
    RouteGroup::new(RouteLimits::READ)
        .get("/api/client-portal/check-ins", routes!(check_ins::list))
        .get("/api/client-portal/check-ins-precreated", routes!(check_ins::list_precreated))
        .get("/api/check-in-assignments", routes!(assignments::list))
        .get("/api/check-in-assignments/{id}", routes!(assignments::get))
        .get("/api/check-in-assignments/{id}/extension", routes!(weekly::extension))
}

/// The old application's endpoints that write.
fn drop_in_commands() -> RouteGroup {
    RouteGroup::new(RouteLimits::COMMAND)
        .post("/api/client-portal/check-in/{id}", routes!(respond::respond))
        .post("/api/check-in-assignments", routes!(allocation::allocate))
        .patch("/api/check-in-assignments/{id}", routes!(corrections::correct))
        .delete("/api/check-in-assignments/{id}", routes!(corrections::withdraw))
        .post("/api/check-in-assignments/{id}/mark-missed", routes!(weekly::mark_missed))
        .post("/api/check-in-assignments/{id}/extension", routes!(weekly::extend))
        .post("/api/check-in-assignments/{id}/open-for-check-in", routes!(weekly::open))
        .post("/api/check-in-assignments/{id}/request-reopen", routes!(weekly::request_reopen))
        .delete("/api/check-in-assignments/series", routes!(series::withdraw))
        .post("/api/check-in-assignments/series/pause", routes!(series::pause))
        .post("/api/check-in-assignments/series/unpause", routes!(series::unpause))
        .post("/api/coach-feedback", routes!(feedback::give))
}

/// The native API's reads.
fn native_reads() -> RouteGroup {
    RouteGroup::new(RouteLimits::READ)
        .get("/v1/clients/{id}/check-ins", routes!(native::check_ins::of_client))
        .get("/v1/check-ins", routes!(native::check_ins::of_everyone))
        .get("/v1/clients/{id}/seen", routes!(seen::of_client))
        .get("/v1/events", routes!(events::list))
        .get("/v1/events/live", routes!(live::follow))
        .get("/v1/streams/{stream}", routes!(events::of_stream))
        .get("/v1/history/{id}", routes!(history::tell))
        // The name of a stream has slashes. A caller may write them unescaped.
        .get_undescribed("/v1/streams/{kind}/{id}", get(events::of_stream))
        .get_undescribed("/v1/streams/{kind}/{client}/{form}", get(events::of_stream))
        .get_undescribed("/v1/history/{kind}/{id}", get(history::tell))
        .get_undescribed("/v1/history/{kind}/{client}/{form}", get(history::tell))
        .get("/v1/clients/{id}", routes!(documents::show_client))
        .get("/v1/coaches/{id}", routes!(documents::show_coach))
        .get("/v1/forms/{id}", routes!(documents::show_form))
        .get("/v1/corrections", routes!(repairs::list))
        .get("/v1/imports", routes!(imports::list))
        .get("/v1/imports/{id}", routes!(imports::get))
        .get("/v1/switch", routes!(switch::show))
        .get("/v1/status", routes!(status::status))
}

/// The native API's writes.
fn native_commands() -> RouteGroup {
    RouteGroup::new(RouteLimits::COMMAND)
        .put("/v1/clients/{id}", routes!(documents::put_client))
        .put("/v1/coaches/{id}", routes!(documents::put_coach))
        .put("/v1/forms/{id}", routes!(documents::put_form))
        .put("/v1/switch", routes!(switch::put))
        .post("/v1/corrections", routes!(repairs::make))
}

/// An operator's long operations and their recorded results.
fn operations() -> RouteGroup {
    RouteGroup::new(RouteLimits::OPERATION)
        .get("/v1/migrations/plan", routes!(migrations::plan))
        .get("/v1/migrations/plan/report", routes!(migrations::plan_report))
        .post("/v1/migrations/apply", routes!(migrations::apply))
        .post("/v1/migrations/validations", routes!(migrations::validate))
        .get("/v1/migrations/validations", routes!(migrations::validations))
        .get("/v1/migrations/findings", routes!(findings::list))
        .post("/v1/migrations/acceptances", routes!(findings::accept))
        .get("/v1/parity", routes!(migrations::parity))
        .get("/v1/audit", routes!(audit::audit))
        .get("/v1/backups", routes!(backups::list))
        .post("/v1/backups", routes!(backups::take))
        .post("/v1/checkpoints", routes!(checkpoints::sign))
}

/// Imports into the running service.
fn imports() -> RouteGroup {
    RouteGroup::new(RouteLimits::IMPORT).post("/v1/imports", routes!(imports::import))
}

/// The switch as a feature flag (OpenFeature's remote evaluation protocol).
fn feature_flags() -> RouteGroup {
    RouteGroup::new(RouteLimits::READ)
        .post("/ofrep/v1/evaluate/flags/{key}", routes!(ofrep::evaluate_flag))
        .post("/ofrep/v1/evaluate/flags", routes!(ofrep::evaluate_flags))
}

/// Metrics work without the store, whose absence they report.
fn metrics_of_service() -> RouteGroup {
    RouteGroup::new(RouteLimits::WITHOUT_STORE).get("/metrics", routes!(metrics::read))
}

/// Health answers under any load.
fn health_checks() -> RouteGroup {
    RouteGroup::new(RouteLimits::ALWAYS)
        .get("/healthz", routes!(health::healthz))
        .get("/readyz", routes!(health::readyz))
}

/// The OpenAPI document, and the pages that show it.
fn description_pages(documents: Documents) -> RouteGroup {
    RouteGroup::new(RouteLimits::WITHOUT_STORE)
        .get_undescribed(
            "/openapi.json",
            get(async move |State(service)| documents.current(service).await),
        )
        .get_undescribed("/docs", get(pages::to_index))
        .get_undescribed("/docs/", get(pages::index))
        .get_undescribed("/docs/{*file}", get(pages::named))
}

/// The descriptions of all handlers. [`Documents`] completes them.
pub fn description() -> utoipa::openapi::OpenApi {
    routes::openapi(Description::openapi(), groups())
}

/// The complete service.
pub fn router(service: Service) -> Router {
    let mut all = groups();
    all.push(description_pages(Documents::new(&description())));
    routes::router(all, &service)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::routes::tests::described;
    use super::*;
    use crate::http::limits::{BodyLimit, Class, TimeLimit};

    #[test]
    fn each_route_stands_on_the_page_as_its_handler_describes_it() {
        for route in groups().iter().flat_map(|group| &group.routes) {
            if let Some((method, path)) = described(route) {
                assert_eq!((method.as_str(), path.as_str()), (route.method.as_str(), route.path));
            }
        }
    }

    #[test]
    fn every_route_of_the_openapi_document_has_explicit_limits() {
        let limited: BTreeSet<(String, String)> = groups()
            .iter()
            .flat_map(|group| &group.routes)
            .filter(|route| described(route).is_some())
            .map(|route| (route.path.to_owned(), route.method.to_string()))
            .collect();
        let document = serde_json::to_value(description()).unwrap();
        let in_document: BTreeSet<(String, String)> = document["paths"]
            .as_object()
            .unwrap()
            .iter()
            .flat_map(|(path, methods)| {
                let methods = methods.as_object().unwrap().keys();
                methods.map(move |method| (path.clone(), method.to_uppercase()))
            })
            .collect();
        assert_eq!(limited, in_document);
        assert!(limited.len() >= 40, "{limited:?}");
    }

    #[test]
    fn what_writes_is_a_command_or_an_operation_and_only_operations_take_long() {
        for group in groups() {
            for route in &group.routes {
                let name = format!("{} {}", route.method, route.path);
                let reads = route.method == "GET" || route.path.starts_with("/ofrep/");
                let is_operation = group.limits.class == Class::Operation;
                assert!(reads || is_operation || group.limits.class == Class::Command, "{name}");
                let takes_files = group.limits.body != BodyLimit::Body;
                assert_eq!(takes_files, is_operation, "{name}");
                assert_eq!(group.limits.time == TimeLimit::Operation, is_operation, "{name}");
            }
        }
    }
}
