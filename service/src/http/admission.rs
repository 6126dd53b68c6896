//! Admission control: rejects requests before their handlers run. It limits the rate per address
//! and the requests in flight, rejects everything while the store's directory is gone, and holds
//! the permits for subscribers and long operations. The configuration has the limits.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, StatusCode};
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use rollbook_application::code::Code;
use rollbook_application::store::Store;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::ApiError;
use crate::configuration::Limits;
use crate::telemetry::targets;

/// Which address a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// How long reads rely on the last look at the store's directory. Writes always look again.
const LOOK_INTERVAL_MILLISECONDS: u64 = 50;

/// Decides which requests are admitted.
#[derive(Debug)]
pub struct Admission {
    limits: Limits,
    rate_limiter: Option<DefaultKeyedRateLimiter<IpAddr>>,
    clock: DefaultClock,
    began: Instant,
    looked_milliseconds: AtomicU64,
    lost: AtomicBool,
}

impl Admission {
    /// Admission control with these limits.
    pub fn new(limits: &Limits) -> Self {
        let burst = NonZeroU32::new(limits.burst_requests).unwrap_or(NonZeroU32::MIN);
        let quota = NonZeroU32::new(limits.requests_per_second)
            .map(|rate| Quota::per_second(rate).allow_burst(burst));
        Self {
            limits: limits.clone(),
            rate_limiter: quota.map(RateLimiter::keyed),
            clock: DefaultClock::default(),
            began: Instant::now(),
            looked_milliseconds: AtomicU64::new(0),
            lost: AtomicBool::new(false),
        }
    }

    /// Rejects an address that exceeds its rate limit.
    ///
    /// # Errors
    /// 429, with the time to wait.
    pub fn admit(&self, peer: Peer, headers: &HeaderMap) -> Result<(), ApiError> {
        let Some(rate_limiter) = &self.rate_limiter else { return Ok(()) };
        rate_limiter.check_key(&share(self.origin(peer, headers))).map_err(|refused| {
            let wait = refused.wait_time_from(self.clock.now());
            let message = "Too many requests from this address. Wait as long as Retry-After says";
            ApiError::new(StatusCode::TOO_MANY_REQUESTS, Code::TooManyRequests, message)
                .retry_after(wait)
        })
    }

    /// Rejects a request if there are too many in flight. `under_way` counts this one too.
    ///
    /// # Errors
    /// 503.
    pub fn admit_one_more(&self, under_way: i64) -> Result<(), ApiError> {
        if usize::try_from(under_way).unwrap_or_default() <= self.limits.requests_in_flight {
            return Ok(());
        }
        let message = "The service has as many requests as it can work on. Try again in a moment";
        Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, Code::Overloaded, message)
            .retry_after(Duration::from_secs(1)))
    }

    /// Rejects requests while the store's directory is gone. `writes` looks at the directory now;
    /// reads rely on what was seen at most 50 milliseconds ago.
    ///
    /// # Errors
    /// 503.
    pub fn require_store(&self, store: &Store, writes: bool) -> Result<(), ApiError> {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let looked = self.looked_milliseconds.load(Ordering::Relaxed);
        if writes || now >= looked + LOOK_INTERVAL_MILLISECONDS || looked == 0 {
            self.looked_milliseconds.store(now.max(1), Ordering::Relaxed);
            let lost = store.log().require_present();
            let was = self.lost.swap(lost.is_err(), Ordering::Relaxed);
            match &lost {
                Err(error) if !was => {
                    tracing::error!(target: targets::HTTP, %error, "the store is gone")
                }
                Ok(()) if was => tracing::warn!(target: targets::HTTP, "the store is back"),
                _ => {}
            }
        }
        if self.lost.load(Ordering::Relaxed) { Err(lost()) } else { Ok(()) }
    }

    /// Drops the state of addresses that have sent nothing for a while, to free its memory.
    pub fn evict_idle(&self) {
        if let Some(rate_limiter) = &self.rate_limiter {
            rate_limiter.retain_recent();
            rate_limiter.shrink_to_fit();
        }
    }

    /// The address of the client: the peer's, or the last one that a trusted proxy names.
    fn origin(&self, Peer(peer): Peer, headers: &HeaderMap) -> IpAddr {
        let trusted = |address: &IpAddr| self.limits.trusted_proxies.contains(address);
        if !trusted(&peer) {
            return peer;
        }
        let named =
            headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
        let named: Vec<Option<IpAddr>> =
            named.flat_map(|value| value.split(',')).map(|one| one.trim().parse().ok()).collect();
        // From the right: a client can forge everything before the first address that is not one
        // of our proxies.
        let first = named
            .into_iter()
            .rev()
            .find(|address| address.as_ref().is_none_or(|address| !trusted(address)));
        first.flatten().map_or(peer, |address| address.to_canonical())
    }
}

/// Permits for subscribers of live events, and for the one long operation that runs.
#[derive(Debug)]
pub struct Permits {
    subscribers: Arc<Semaphore>,
    places: usize,
    operation: Arc<Semaphore>,
}

impl Permits {
    /// Permits for so many subscribers at once, and for one operation.
    pub fn new(subscribers: usize) -> Self {
        let places = subscribers.min(Semaphore::MAX_PERMITS);
        Self {
            subscribers: Arc::new(Semaphore::new(places)),
            places,
            operation: Arc::new(Semaphore::new(1)),
        }
    }

    /// How many subscribers follow live events now.
    pub fn subscribed(&self) -> usize {
        self.places - self.subscribers.available_permits()
    }

    /// A subscriber's permit, if there is one left.
    pub fn subscribe(&self) -> Option<OwnedSemaphorePermit> {
        self.subscribers.clone().try_acquire_owned().ok()
    }

    /// Waits until no other long operation runs. The next one waits until the permit is dropped.
    ///
    /// # Errors
    /// Never: the semaphore is not closed while the service runs.
    pub async fn operate(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        let acquired = self.operation.clone().acquire_owned().await;
        acquired.map_err(|_closed| ApiError::mistake())
    }
}

fn lost() -> ApiError {
    let message = "The store is not where it was. Nothing was written. The service's log says more";
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, Code::StoreLost, message)
        .retry_after(Duration::from_secs(5))
}

/// Whose rate limit an address counts against: an IPv6 network of 64 bits is one customer.
fn share(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from(u128::from(address) >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(requests_per_second: u32, burst_requests: u32, proxies: &[&str]) -> Admission {
        Admission::new(&Limits {
            body_bytes: 1 << 20,
            batch_bytes: 1 << 20,
            export_bytes: 1 << 20,
            header_bytes: 1 << 14,
            headers: 64,
            connections: 8,
            requests_in_flight: 2,
            requests_per_second,
            burst_requests,
            trusted_proxies: proxies.iter().map(|proxy| proxy.parse().unwrap()).collect(),
            subscribers: 1,
        })
    }

    fn peer(address: &str) -> Peer {
        Peer(address.parse().unwrap())
    }

    fn forwarded(text: &str) -> HeaderMap {
        HeaderMap::from_iter([("x-forwarded-for".parse().unwrap(), text.parse().unwrap())])
    }

    #[test]
    fn each_address_has_its_own_share_and_a_network_of_ipv6_has_one() {
        let (admission, none) = (admission(1, 2, &[]), HeaderMap::new());
        let admits = |address: &str| admission.admit(peer(address), &none).is_ok();
        assert_eq!(
            (admits("10.0.0.1"), admits("10.0.0.1"), admits("10.0.0.1")),
            (true, true, false)
        );
        assert!(admits("10.0.0.2"));
        assert_eq!(
            (admits("2001:db8::1"), admits("2001:db8::2"), admits("2001:db8::3")),
            (true, true, false)
        );
        assert!(admits("2001:db8:0:1::1"));
        let refusal = admission.admit(peer("10.0.0.1"), &none).unwrap_err();
        assert_eq!((refusal.status().as_u16(), refusal.code()), (429, Code::TooManyRequests));
    }

    #[test]
    fn zero_is_no_limit() {
        let admission = admission(0, 1, &[]);
        assert!((0..1000).all(|_| admission.admit(peer("10.0.0.1"), &HeaderMap::new()).is_ok()));
    }

    #[test]
    fn only_a_trusted_proxy_says_who_asks_and_nobody_may_choose_their_address() {
        let admission = admission(1, 1, &["10.0.0.9", "10.0.0.8"]);
        let origin =
            |from: &str, text: &str| admission.origin(peer(from), &forwarded(text)).to_string();
        assert_eq!(origin("10.0.0.1", "1.2.3.4"), "10.0.0.1");
        assert_eq!(origin("10.0.0.9", "1.2.3.4"), "1.2.3.4");
        assert_eq!(origin("10.0.0.9", "6.6.6.6, 1.2.3.4, 10.0.0.8"), "1.2.3.4");
        assert_eq!(origin("10.0.0.9", "6.6.6.6, nonsense"), "10.0.0.9");
        assert_eq!(origin("10.0.0.9", "10.0.0.8"), "10.0.0.9");
    }

    #[test]
    fn one_request_too_many_is_told_to_come_again() {
        let admission = admission(0, 1, &[]);
        assert!(admission.admit_one_more(2).is_ok());
        assert_eq!(admission.admit_one_more(3).unwrap_err().code(), Code::Overloaded);
    }
}
