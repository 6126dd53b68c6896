//! `rollbook serve`: starts the HTTP service and shuts it down.

use std::sync::Arc;

use clap::Args;
use futures_util::FutureExt;
use rollbook_application::store::Store;
use rollbook_domain::Timestamp;
use rollbook_log::{Observer, OpenOptions};
use rollbook_service::access::Access;
use rollbook_service::configuration::{self, Configuration, SettingFlags};
use rollbook_service::http::{self, Clock, Server, Service};
use rollbook_service::telemetry::Telemetry;
use sd_notify::NotifyState;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::context::Context;
use super::output::{BOLD, styled};
use crate::cli::error::CliError;

const EXAMPLES: &str = "\
Examples:
  rollbook serve --listen 127.0.0.1:8080
  rollbook --data prod serve --config /etc/rollbook/rollbook.toml
  rollbook --data prod --json serve --listen 127.0.0.1:0

The first line of the output is the address; with port 0 the system chooses a port. SIGTERM or Ctrl-C shuts the service down: requests in
progress are answered first.";

/// Serve the store over HTTP.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ServeArguments {
    #[command(flatten)]
    settings: SettingFlags,
    /// For tests: use this instant as the current time of every request. Needs --allow-fixed-clock.
    #[arg(long, value_name = "TIME", env = "ROLLBOOK_FIXED_CLOCK", help_heading = "Tests")]
    fixed_clock: Option<Timestamp>,
    /// For tests: allow --fixed-clock.
    #[arg(long, env = "ROLLBOOK_ALLOW_FIXED_CLOCK", help_heading = "Tests")]
    allow_fixed_clock: bool,
}

impl ServeArguments {
    pub(super) fn run(&self, context: &Context) -> Result<(), CliError> {
        let clock = self.clock()?;
        let Configuration { settings, ignored, .. } =
            configuration::load(&self.settings, context.given_data())?;
        let access = Access::new(&settings.access, &settings.data)?;
        access
            .may_listen(settings.listen)
            .map_err(|denied| CliError::NotServed(denied.to_string()))?;
        let telemetry = Telemetry::start(&settings)?;
        ignored.iter().for_each(|variable| {
            tracing::warn!(variable, "this environment variable is not a setting and is ignored")
        });
        let observer: Arc<dyn Observer> = telemetry.metrics.clone();
        let options = OpenOptions {
            observer: Some(observer),
            master_key: context.master_key.clone(),
            ..OpenOptions::default()
        };
        let store = Arc::new(Store::open_with(&settings.data, options)?);
        context.fold(&store)?;
        let service = Service::new(store, Arc::new(access), clock, settings, telemetry);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .thread_name("rollbook-http")
            .build()
            .map_err(CliError::system("start the threads of the service"))?;
        let served = runtime.block_on(serve(context, &service));
        service.end();
        served
    }

    fn clock(&self) -> Result<Clock, CliError> {
        match self.fixed_clock {
            None => Ok(Clock::System),
            Some(now) if self.allow_fixed_clock => Ok(Clock::Fixed(now)),
            Some(_) => {
                let why = "a fixed clock is for tests only; leave --fixed-clock out, or add --allow-fixed-clock in a test";
                Err(CliError::NotServed(why.to_owned()))
            }
        }
    }
}

async fn serve(context: &Context, service: &Service) -> Result<(), CliError> {
    let settings = service.settings();
    let bound = TcpListener::bind(settings.listen).await;
    let listener = bound.map_err(|source| CliError::Listen { address: settings.listen, source })?;
    let end = termination()?;
    let address = listener
        .local_addr()
        .map_err(CliError::system("read the address that the service listens on"))?;
    let url = format!("http://{address}");
    context
        .output
        .either(&json!({"listening": url}), || format!("listening on {}\n", styled(BOLD, &url)))?;
    notify_systemd(&[NotifyState::Ready]);
    let folding = tokio::spawn(http::keep_folding(service.clone()));
    let forgetting = tokio::spawn(http::keep_forgetting(service.clone()));
    let ended = end.map(|()| notify_systemd(&[NotifyState::Stopping]));
    let served =
        http::serve(listener, http::router(service.clone()), service, Server::new(settings), ended)
            .await;
    folding.abort();
    forgetting.abort();
    served.map_err(CliError::system("accept connections"))
}

/// Reports the state to systemd if it started this process (`Type=notify`).
fn notify_systemd(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "cannot report the state of the service to systemd");
    }
}

/// Resolves at the first SIGTERM or SIGINT. A second one ends the process at once.
fn termination() -> Result<impl Future<Output = ()>, CliError> {
    let listen = |kind| signal(kind).map_err(CliError::system("listen for signals"));
    let (mut terminate, mut interrupt) =
        (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    let (sender, first) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        let mut sender = Some(sender);
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            match sender.take() {
                Some(sender) => drop(sender.send(())),
                None => std::process::exit(i32::from(super::interrupt::EXIT_CODE)),
            }
        }
    });
    Ok(async move {
        let _signal = first.await;
    })
}
