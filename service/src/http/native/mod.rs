//! The native API under `/v1`: views, events, history, migrations, the switch, status. snake_case; refusals as RFC 9457. Owns the paths
//! and what is read from requests; the answers are the same reports that the command line prints.

pub mod audit;
pub mod check_ins;
pub mod custody;
pub mod events;
pub mod history;
pub mod live;
pub mod migrations;
pub mod operations;
pub mod portions;
pub mod query;
pub mod seen;
pub mod shapes;
pub mod status;
pub mod switch;
pub mod upload;

use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::service::Service;

/// Every native route.
pub fn routes() -> OpenApiRouter<Service> {
    OpenApiRouter::new()
        .routes(routes!(check_ins::of_client))
        .routes(routes!(check_ins::of_everyone))
        .routes(routes!(seen::of_client))
        .routes(routes!(events::list))
        .routes(routes!(live::follow))
        .routes(routes!(events::of_stream))
        .routes(routes!(history::tell))
        .routes(routes!(migrations::plan))
        .routes(routes!(migrations::plan_report))
        .routes(routes!(migrations::apply))
        .routes(routes!(migrations::validate, migrations::validations))
        .routes(routes!(migrations::parity))
        .routes(routes!(audit::audit))
        .routes(routes!(switch::show, switch::put))
        .routes(routes!(status::status))
        .routes(routes!(custody::list, custody::take))
        .routes(routes!(custody::sign))
        // Names with slashes in them may also stand in the path as they are.
        .route("/v1/streams/{kind}/{id}", get(events::of_stream))
        .route("/v1/streams/{kind}/{client}/{form}", get(events::of_stream))
        .route("/v1/history/{kind}/{id}", get(history::tell))
        .route("/v1/history/{kind}/{client}/{form}", get(history::tell))
}
