//! Random histories of a host (licences, renewals, revocations, time, clock faults, restarts) against a small model.
//!
//! The model counts in whole days and knows nothing of tokens, dates or floors beyond integers; after every step the real
//! decision must be the model's, and some things must hold whatever has happened.

use crate::world::{ENGINE, Host, build, claims, days, start};
use licenses::{Circumstances, Claims, Decision, EngineGrant, LicenseSet, decide};
use proptest::prelude::*;

/// One thing that happens to a host. Days are small numbers so that dates meet.
#[derive(Debug, Clone)]
enum Step {
    /// True time goes on, and the host's clock with it.
    Pass(i64),
    /// The clock is set to this many days off the true time.
    SetClock(i64),
    /// The host notes that it is running.
    Run,
    /// The portal answers, with the true time.
    Contact,
    /// A licence is issued at the true time and installed.
    Install(Terms),
    /// The licence with this number is issued anew for another term.
    Renew(usize, i64),
    /// The licence with this number is revoked.
    Revoke(usize),
    /// The licence with this number is taken out.
    Remove(usize),
    /// The host stops and starts.
    Restart,
}

/// What is random about a licence. Days count from its issue.
#[derive(Debug, Clone, Copy)]
struct Terms {
    covers: Covers,
    begins: i64,
    ends: Option<i64>,
    grace: u16,
    offline: Option<u16>,
    support: Option<i64>,
    trial: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Covers {
    Everything,
    OtherVersions,
    OtherEngine,
    OtherHost,
}

/// A licence in the model, in days since the start.
#[derive(Debug, Clone, Copy)]
struct Sheet {
    number: usize,
    issued: i64,
    terms: Terms,
    revoked: bool,
}

#[derive(Debug, Clone, Default)]
struct Model {
    time: i64,
    offset: i64,
    floor: i64,
    contact: Option<i64>,
    sheets: Vec<Sheet>,
    revoked: Vec<usize>,
    made: usize,
}

/// The build that is asked about was made on this day.
const BUILT: i64 = 40;

impl Sheet {
    fn answer(&self, at: i64, contact: Option<i64>) -> &'static str {
        let Terms { covers, begins, ends, grace, offline, support, trial } = self.terms;
        let at = at.max(self.issued);
        let end = ends.map(|ends| self.issued + ends);
        let supported = support.map(|support| BUILT <= self.issued + support);
        match covers {
            Covers::OtherEngine => return "engine_not_included",
            _ if self.revoked => return "revoked",
            Covers::OtherHost => return "wrong_instance",
            Covers::OtherVersions => return "version_not_included",
            Covers::Everything => {}
        }
        let heard = contact.unwrap_or(self.issued).max(self.issued);
        match end {
            _ if at < self.issued + begins => "not_yet_valid",
            None if supported == Some(false) => "version_not_included",
            _ if offline.is_some_and(|days| at > heard + i64::from(days)) => "offline_too_long",
            None => "granted",
            Some(_) if supported == Some(true) && !trial => "granted",
            Some(end) if at < end => "granted",
            Some(end) if at < end + i64::from(grace) => "grace",
            Some(_) => "expired",
        }
    }
}

/// How good an answer is, the states first.
fn rank(code: &str) -> u8 {
    match code {
        "granted" => 3,
        "grace" => 2,
        "expired" | "offline_too_long" => 1,
        _ => 0,
    }
}

impl Model {
    fn clock(&self) -> i64 {
        self.time + self.offset
    }

    fn effective(&self) -> i64 {
        self.clock().max(self.floor)
    }

    fn answers_at(&self, at: i64) -> Vec<&'static str> {
        self.sheets.iter().map(|sheet| sheet.answer(at, self.contact)).collect()
    }

    fn rank_at(&self, at: i64) -> u8 {
        self.answers_at(at).into_iter().map(rank).max().unwrap_or(0)
    }

    fn make(&mut self, terms: Terms) -> Sheet {
        self.made += 1;
        let revoked = self.revoked.contains(&self.made);
        let sheet = Sheet { number: self.made, issued: self.time, terms, revoked };
        self.floor = self.floor.max(self.time);
        self.sheets.push(sheet);
        sheet
    }
}

fn claims_of(sheet: &Sheet) -> Claims {
    let Terms { covers, begins, ends, grace, offline, support, trial } = sheet.terms;
    let issued = start() + days(sheet.issued);
    claims(|c| {
        c.id = format!("L{}", sheet.number);
        let (id, versions) = match covers {
            Covers::OtherEngine => ("fleet_engine", "*"),
            Covers::OtherVersions => (ENGINE, "^9"),
            _ => (ENGINE, "^1"),
        };
        c.engines = vec![EngineGrant { id: id.to_owned(), versions: versions.parse().unwrap() }];
        c.instance = (covers == Covers::OtherHost).then(|| "22".repeat(16).parse().unwrap());
        c.iat = issued;
        c.nbf = issued + days(begins);
        c.exp = ends.map(|ends| issued + days(ends));
        c.grace_days = grace;
        c.offline_days = offline;
        c.support_until = support.map(|support| issued + days(support));
        c.trial = trial;
    })
}

/// The real host and the model, side by side.
struct Pair {
    model: Model,
    host: Host,
    sequence: u64,
}

impl Pair {
    fn new() -> Self {
        // Nothing has been seen yet.
        let model = Model { floor: -1_000_000, ..Model::default() };
        Self { model, host: Host::new(), sequence: 0 }
    }

    fn true_time(&self) -> chrono::DateTime<chrono::Utc> {
        start() + days(self.model.time)
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Pass(count) => self.model.time += count,
            Step::SetClock(offset) => self.model.offset = offset,
            Step::Run => {
                self.model.floor = self.model.effective();
                self.host.floor.observe_run(self.host.now);
            }
            Step::Contact => {
                self.model.contact = Some(self.model.time);
                self.model.floor = self.model.floor.max(self.model.time);
                self.host.last_contact = Some(self.true_time());
                self.host.floor.observe_signed(self.true_time());
            }
            Step::Install(terms) => {
                let sheet = self.model.make(terms);
                self.host.install(&claims_of(&sheet));
            }
            Step::Renew(number, ends) => self.renew(number, ends),
            Step::Revoke(number) => self.revoke(number),
            Step::Remove(number) => {
                self.model.sheets.retain(|sheet| sheet.number != number);
                self.host.licenses.remove(&format!("L{number}"));
            }
            Step::Restart => self.restart(),
        }
        self.host.now = start() + days(self.model.clock());
    }

    fn renew(&mut self, number: usize, ends: i64) {
        let time = self.model.time;
        // An edition issued on the same day is not newer.
        let Some(sheet) = self.model.sheets.iter_mut().find(|s| s.number == number && s.issued < time) else {
            return;
        };
        sheet.issued = time;
        sheet.terms.begins = 0;
        sheet.terms.ends = Some(ends);
        let claims = claims_of(sheet);
        self.model.floor = self.model.floor.max(time);
        self.host.install_renewal(&claims);
    }

    fn revoke(&mut self, number: usize) {
        self.model.revoked.push(number);
        self.sequence += 1;
        let ids: Vec<String> = self.model.revoked.iter().map(|number| format!("L{number}")).collect();
        self.host.revoke(&ids, self.sequence);
        for sheet in &mut self.model.sheets {
            sheet.revoked |= sheet.number == number;
        }
    }

    /// Everything goes through the form in which a host stores it.
    fn restart(&mut self) {
        let host = &mut self.host;
        let floor = serde_json::to_string(&host.floor).unwrap();
        let (tokens, lists) = (host.licenses.tokens(), host.store.revocations().to_text());
        let mut next = Host::new();
        assert_eq!(next.store.restore_revocations(&lists), Vec::new());
        let (set, refusals) = LicenseSet::restore(tokens.iter().map(String::as_str), &next.store);
        assert_eq!(refusals, Vec::new());
        next.licenses = set;
        next.floor = serde_json::from_str(&floor).unwrap();
        next.licenses.iter().for_each(|license| next.floor.learn(license));
        next.now = host.now;
        next.last_contact = host.last_contact;
        *host = next;
    }

    fn real_at(&self, clock: i64) -> Decision {
        let now = start() + days(clock);
        decide(&the_build(), &Circumstances { now, ..self.host.circumstances() })
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let model = &self.model;
        let real = self.real_at(model.clock());
        let at = model.effective();
        // The state is the best of all licences, and its reason is one that a licence of that state gives.
        prop_assert_eq!(real.entitlement.rank(), model.rank_at(at));
        let answers = model.answers_at(at);
        let code = real.entitlement.code();
        let known = if answers.is_empty() { code == "no_license" } else { answers.contains(&code) };
        prop_assert!(known, "{} is none of {:?}", code, answers);
        // A clock that is behind is told, and called the reason exactly where it is.
        let behind = model.clock() < at;
        prop_assert_eq!(real.clock_set_back.is_some(), behind);
        let decides = behind && model.rank_at(model.clock()) > model.rank_at(at);
        prop_assert_eq!(real.code() == "clock_set_back", decides);
        self.check_what_always_holds(&real)
    }

    fn check_what_always_holds(&self, real: &Decision) -> Result<(), TestCaseError> {
        let clock = self.model.clock();
        // The same question has the same answer.
        prop_assert_eq!(&self.real_at(clock), real);
        // Once the host has run, setting the clock back never gives more than before.
        let mut ran = self.host.floor.clone();
        ran.observe_run(start() + days(clock));
        for back in [1, 10, 100, 1000] {
            let now = start() + days(clock - back);
            let earlier =
                decide(&the_build(), &Circumstances { now, floor: &ran, ..self.host.circumstances() });
            prop_assert!(earlier.entitlement.rank() <= real.entitlement.rank(), "{} days back", back);
        }
        // Time alone never takes reading away, and never brings writing back.
        for later in [1, 10, 100, 1000] {
            let then = self.real_at(clock + later);
            prop_assert!(then.may_read() || !real.may_read(), "{} days later", later);
            let begins_later =
                self.model.sheets.iter().any(|sheet| sheet.issued + sheet.terms.begins > clock);
            prop_assert!(begins_later || !then.may_write() || real.may_write(), "{} days later", later);
        }
        Ok(())
    }
}

fn the_build() -> licenses::EngineBuild {
    let mut build = build("1.0.0", "2026-06-01");
    build.built_at = start() + days(BUILT);
    build
}

impl Host {
    /// Install a newer edition of a licence that is there, as an administrator does. A revoked or foreign one is refused
    /// at the door, so it goes the way of a restart.
    fn install_renewal(&mut self, claims: &Claims) {
        self.licenses.remove(&claims.id);
        self.install(claims);
    }
}

fn terms() -> impl Strategy<Value = Terms> {
    let covers = prop_oneof![
        6 => Just(Covers::Everything),
        1 => Just(Covers::OtherVersions),
        1 => Just(Covers::OtherEngine),
        1 => Just(Covers::OtherHost),
    ];
    (
        covers,
        prop_oneof![3 => Just(0_i64), 1 => 1_i64..40],
        prop::option::weighted(0.8, 41_i64..120),
        0_u16..20,
        prop::option::weighted(0.3, 0_u16..60),
        prop::option::weighted(0.4, 0_i64..80),
        any::<bool>(),
    )
        .prop_map(|(covers, begins, ends, grace, offline, support, trial)| Terms {
            covers,
            begins,
            ends,
            grace,
            offline,
            support,
            trial,
        })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0_i64..60).prop_map(Step::Pass),
        2 => (-200_i64..200).prop_map(Step::SetClock),
        1 => Just(Step::SetClock(0)),
        3 => Just(Step::Run),
        2 => Just(Step::Contact),
        3 => terms().prop_map(Step::Install),
        2 => (1_usize..4, 1_i64..120).prop_map(|(number, ends)| Step::Renew(number, ends)),
        1 => (1_usize..4).prop_map(Step::Revoke),
        1 => (1_usize..4).prop_map(Step::Remove),
        2 => Just(Step::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn every_history_ends_as_the_model_says(steps in prop::collection::vec(step(), 1..25)) {
        let mut pair = Pair::new();
        pair.check()?;
        for step in &steps {
            pair.step(step);
            pair.check()?;
        }
    }

    /// Whatever has happened, a new licence with the clock healed brings everything back.
    #[test]
    fn a_renewal_always_restores(steps in prop::collection::vec(step(), 1..25)) {
        let mut pair = Pair::new();
        steps.iter().for_each(|step| pair.step(step));
        let issued = pair.true_time();
        // Records and restarts of the past do not matter.
        let reached = pair.host.floor.at().unwrap_or(issued);
        pair.host.install(&claims(|c| {
            c.id = "renewal".to_owned();
            c.iat = issued;
            c.nbf = issued;
            c.exp = Some(issued + days(30));
            c.resets_clock = true;
        }));
        pair.host.floor.observe_record(reached);
        pair.host.now = issued;
        prop_assert_eq!(pair.host.decide(&the_build()).entitlement.rank(), 3);
        pair.restart();
        prop_assert_eq!(pair.host.decide(&the_build()).entitlement.rank(), 3);
    }
}
