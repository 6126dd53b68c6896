//! All routes on one page. Owns which paths there are; each resource's handlers stand in a file of their own, with what the
//! description of the API says of them.

use axum::Router;
use axum::http::StatusCode;
use rollbook_application::code::Code;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::description::{Description, pages};
use super::error::Refusal;
use super::service::Service;
use super::{drop_in, health, layers, native, ofrep};

/// Every route with its description.
pub fn routes() -> OpenApiRouter<Service> {
    OpenApiRouter::with_openapi(Description::openapi())
        .merge(drop_in_routes())
        .merge(native::routes())
        .merge(ofrep::routes())
        .merge(health::routes())
        .routes(routes!(super::metrics::read))
}

/// The endpoints that the front end had before.
fn drop_in_routes() -> OpenApiRouter<Service> {
    OpenApiRouter::new()
        .routes(routes!(drop_in::check_ins::list))
        .routes(routes!(drop_in::check_ins::list_precreated))
        .routes(routes!(drop_in::respond::respond))
        .routes(routes!(drop_in::assignments::list, drop_in::allocation::allocate))
        .routes(routes!(
            drop_in::assignments::get,
            drop_in::corrections::correct,
            drop_in::corrections::withdraw
        ))
        .routes(routes!(drop_in::weekly::mark_missed))
        .routes(routes!(drop_in::weekly::extension, drop_in::weekly::extend))
        .routes(routes!(drop_in::weekly::open))
        .routes(routes!(drop_in::weekly::request_reopen))
        .routes(routes!(drop_in::series::withdraw))
        .routes(routes!(drop_in::series::pause))
        .routes(routes!(drop_in::series::unpause))
        .routes(routes!(drop_in::feedback::give))
}

/// What the handlers say of themselves. The whole description is [`description::document`](super::description::document).
pub fn description() -> utoipa::openapi::OpenApi {
    routes().into_openapi()
}

/// The whole service.
pub fn router(service: Service) -> Router {
    let router: Router<Service> = routes().into();
    let no_path = || async {
        Refusal::new(StatusCode::NOT_FOUND, Code::NoPath, "There is nothing at this path")
    };
    let no_method = || async {
        Refusal::new(
            StatusCode::METHOD_NOT_ALLOWED,
            Code::NoMethod,
            "This path does not take this method",
        )
    };
    layers::wrap(
        router
            .merge(pages::routes())
            .fallback(no_path)
            .method_not_allowed_fallback(no_method)
            .with_state(service.clone()),
        service,
    )
}
