//! Groups of routes that share their limits, and how they become one router and one description.

use axum::Router;
use axum::http::{Method, StatusCode};
use axum::routing::{MethodRouter, any};
use rollbook_application::code::Code;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use super::error::ApiError;
use super::layers::surround_handlers;
use super::limits::RouteLimits;
use super::service::Service;

/// One method of one path.
pub struct Route {
    /// The method. A GET route answers HEAD too.
    pub method: Method,
    /// The path, in the form of the OpenAPI document.
    pub path: &'static str,
    handlers: Handlers,
}

enum Handlers {
    /// In the OpenAPI document.
    Described(UtoipaMethodRouter<Service>),
    /// Not in the OpenAPI document.
    Undescribed(MethodRouter<Service>),
}

/// Routes that share their limits.
pub struct RouteGroup {
    /// The limits of every route of the group.
    pub limits: RouteLimits,
    /// The routes.
    pub routes: Vec<Route>,
}

impl RouteGroup {
    /// An empty group with these limits.
    pub fn new(limits: RouteLimits) -> Self {
        Self { limits, routes: Vec::new() }
    }

    fn with(mut self, method: Method, path: &'static str, handlers: Handlers) -> Self {
        self.routes.push(Route { method, path, handlers });
        self
    }

    /// Adds a GET route.
    pub fn get(self, path: &'static str, handler: UtoipaMethodRouter<Service>) -> Self {
        self.with(Method::GET, path, Handlers::Described(handler))
    }

    /// Adds a POST route.
    pub fn post(self, path: &'static str, handler: UtoipaMethodRouter<Service>) -> Self {
        self.with(Method::POST, path, Handlers::Described(handler))
    }

    /// Adds a PUT route.
    pub fn put(self, path: &'static str, handler: UtoipaMethodRouter<Service>) -> Self {
        self.with(Method::PUT, path, Handlers::Described(handler))
    }

    /// Adds a PATCH route.
    pub fn patch(self, path: &'static str, handler: UtoipaMethodRouter<Service>) -> Self {
        self.with(Method::PATCH, path, Handlers::Described(handler))
    }

    /// Adds a DELETE route.
    pub fn delete(self, path: &'static str, handler: UtoipaMethodRouter<Service>) -> Self {
        self.with(Method::DELETE, path, Handlers::Described(handler))
    }

    /// Adds a GET route that the OpenAPI document does not name.
    pub fn get_undescribed(self, path: &'static str, handler: MethodRouter<Service>) -> Self {
        self.with(Method::GET, path, Handlers::Undescribed(handler))
    }
}

/// Adds the descriptions of the handlers of these groups to `base`.
pub fn openapi(base: OpenApi, groups: Vec<RouteGroup>) -> OpenApi {
    let mut all = OpenApiRouter::with_openapi(base);
    for route in groups.into_iter().flat_map(|group| group.routes) {
        if let Handlers::Described(described) = route.handlers {
            all = all.routes(described);
        }
    }
    all.into_openapi()
}

/// The router of these groups. Each route is surrounded with the limits of its group.
pub fn router(groups: Vec<RouteGroup>, service: &Service) -> Router {
    let mut router = Router::new();
    for RouteGroup { limits, routes } in groups {
        for route in routes {
            let (Handlers::Described((_, _, handler)) | Handlers::Undescribed(handler)) =
                route.handlers;
            // A wrong method on a path that needs no store is refused without the store, too.
            let handler = if limits.needs_store { handler } else { handler.fallback(no_method) };
            router = router.route(route.path, surround_handlers(handler, service, limits));
        }
    }
    let others = RouteLimits::READ;
    router
        .fallback(surround_handlers(any(no_path), service, others))
        .method_not_allowed_fallback(surround_handlers(any(no_method), service, others))
        .with_state(service.clone())
}

async fn no_path() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, Code::NoPath, "There is nothing at this path")
}

async fn no_method() -> ApiError {
    let message = "This path does not take this method";
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, Code::NoMethod, message)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Method and path as the handler's own description names them; `None` if it is undescribed.
    pub(in super::super) fn described(route: &Route) -> Option<(String, String)> {
        let Handlers::Described((_, paths, _)) = &route.handlers else { return None };
        let (path, item) = paths.paths.first_key_value().unwrap();
        let methods = serde_json::to_value(item).unwrap();
        let method = methods.as_object().unwrap().keys().next().unwrap();
        Some((method.to_uppercase(), path.clone()))
    }
}
