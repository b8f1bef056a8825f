//! Reads a document: which keys there are, of which kind and within which bounds, on which line.

use std::ops::RangeInclusive;

use types::document::{At, Problems, Reader, TableAt, suggestion};

use crate::expect::{Expect, Fails};
use crate::situation::{
    Attack, Class, Fault, Kind, Load, Network, QuorumRule, Scenario, Situation, Window,
};

/// Most validators of a scenario: the lab has keys for so many.
const VALIDATORS_MAX: u64 = 16;

/// The longest that a title may be, in characters: it has a line.
const TITLE_MAX: usize = 90;

/// Delays and the like, in milliseconds.
const DELAY_MS: RangeInclusive<u64> = 1..=10_000;

/// The most by which a clock is wrong, in milliseconds.
const SHIFT_MAX_MS: u64 = 3_600_000;

/// A scenario whose parts are sound, with what is needed to say where they do not fit together.
pub(crate) struct Read {
    pub(crate) scenario: Scenario,
    pub(crate) lines: Lines,
}

/// Where something stands.
pub(crate) struct Lines {
    /// `[load]`.
    pub(crate) load: Option<usize>,
    /// `[expect]` and `[beyond.expect]`.
    pub(crate) expect: [Option<usize>; 2],
    /// `[beyond]`.
    pub(crate) beyond: Option<usize>,
    /// The faults, in the order of the file: those of the base situation first.
    pub(crate) faults: Vec<Option<usize>>,
}

/// What a document says, and what about its parts is wrong.
pub(crate) fn read(text: &str) -> (Option<Read>, Problems) {
    Reader::read(text, |reader, root| {
        Reading { reader, validators: VALIDATORS_MAX, run_ms: u64::MAX }.scenario(root)
    })
}

struct Reading<'r> {
    reader: &'r mut Reader,
    /// How many validators there are, as soon as that is known.
    validators: u64,
    /// When the run ends, as soon as that is known.
    run_ms: u64,
}

/// What a situation adds: faults, each with its line, and attacks.
type Happenings = (Vec<At<Fault>>, Vec<Attack>);

impl Reading<'_> {
    fn scenario(mut self, root: TableAt<'_>) -> Option<Read> {
        let required = [
            "name", "class", "title", "question", "answer", "run-ms", "network", "load", "expect",
            "beyond",
        ];
        self.reader.check_keys(root, "the scenario", &required, &["fault", "attack"]);
        let name = self.name(root);
        let class =
            self.word(root, "class", "class", &Class::ALL.map(|class| (class.name(), class)));
        let [title, question, answer] =
            ["title", "question", "answer"].map(|key| self.said(root, key));
        let run_ms = self.bounded(root, "run-ms", 1_000..=60_000, None);
        self.run_ms = run_ms.unwrap_or(u64::MAX);
        let network = self.reader.table(root, "network").and_then(|table| self.network(table));
        let load_at = self.reader.table(root, "load");
        let load = load_at.and_then(|table| self.load(table));
        let base = self.happenings(root, "");
        let expect_at = self.reader.table(root, "expect");
        let expect = expect_at.and_then(|table| self.expect(table, "[expect]"));
        let beyond_at = self.reader.table(root, "beyond");
        let more = beyond_at.and_then(|table| {
            self.reader.check_keys(table, "[beyond]", &["expect"], &["fault", "attack"]);
            self.happenings(table, "beyond.")
        });
        let beyond_expect_at = beyond_at.and_then(|table| self.reader.table(table, "expect"));
        let beyond_expect =
            beyond_expect_at.and_then(|table| self.expect(table, "[beyond.expect]"));
        let (base, more) = (base?, more?);
        let line_of = |table: Option<TableAt<'_>>| table.and_then(|(_, line)| line);
        let lines = Lines {
            load: line_of(load_at),
            expect: [line_of(expect_at), line_of(beyond_expect_at)],
            beyond: line_of(beyond_at),
            faults: base.0.iter().chain(&more.0).map(|fault| fault.line).collect(),
        };
        let scenario = Scenario {
            file: String::new(),
            name: name?,
            class: class?,
            title: title?,
            question: question?,
            answer: answer?,
            run_ms: run_ms?,
            network: network?,
            load: load?,
            beyond: situation([base.clone(), more], beyond_expect?),
            base: situation([base], expect?),
        };
        Some(Read { scenario, lines })
    }

    /// Names are typed on command lines and become names of folders.
    fn name(&mut self, root: TableAt<'_>) -> Option<String> {
        let At { value, line } = self.reader.text(root, "name")?;
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if value.bytes().all(plain) && (1..=32).contains(&value.len()) {
            return Some(value);
        }
        let text = format!("name {value:?} is not 1 to 32 lower-case letters, digits and hyphens");
        self.reader.problems.push(line, text);
        None
    }

    /// A text for the reader.
    fn said(&mut self, root: TableAt<'_>, key: &str) -> Option<String> {
        let At { value, line } = self.reader.text(root, key)?;
        let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
        if value.is_empty() {
            self.reader.problems.push(line, format!("{key} is empty: it is for the reader"));
            return None;
        }
        if key == "title" && value.chars().count() > TITLE_MAX {
            let text =
                format!("title has {} characters, at most {TITLE_MAX} fit", value.chars().count());
            self.reader.problems.push(line, text);
            return None;
        }
        Some(value)
    }

    fn network(&mut self, table: TableAt<'_>) -> Option<Network> {
        let optional =
            ["quorum", "delay-min-ms", "delay-max-ms", "loss-per-mille", "clock-drift-max-ms"];
        self.reader.check_keys(table, "[network]", &["validators", "view-timeout-ms"], &optional);
        let validators = self.bounded(table, "validators", 1..=VALIDATORS_MAX, None);
        self.validators = validators.unwrap_or(VALIDATORS_MAX);
        let rules = [("kept", QuorumRule::Kept), ("majority", QuorumRule::Majority)];
        let quorum = match table.0.contains_key("quorum") {
            true => self.word(table, "quorum", "quorum rule", &rules),
            false => Some(QuorumRule::Kept),
        };
        let view_timeout_ms = self.bounded(table, "view-timeout-ms", 100..=10_000, None);
        let delay_min_ms = self.bounded(table, "delay-min-ms", 0..=1_000, Some(1));
        let delay_max_ms = self.bounded(table, "delay-max-ms", 0..=1_000, Some(5));
        let loss_per_mille = self.bounded(table, "loss-per-mille", 0..=500, Some(0));
        let clock_drift_max_ms =
            self.bounded(table, "clock-drift-max-ms", 100..=60_000, Some(2_000));
        let (least, most) = (delay_min_ms?, delay_max_ms?);
        if least > most {
            let text = format!(
                "delay-min-ms is {least} and delay-max-ms is {most}: the first must not be greater"
            );
            self.reader.problems.push(table.1, text);
            return None;
        }
        Some(Network {
            validators: u16::try_from(validators?).ok()?,
            quorum: quorum?,
            view_timeout_ms: u32::try_from(view_timeout_ms?).ok()?,
            delay_min_ms: u32::try_from(least).ok()?,
            delay_max_ms: u32::try_from(most).ok()?,
            loss_per_mille: u32::try_from(loss_per_mille?).ok()?,
            clock_drift_max_ms: u32::try_from(clock_drift_max_ms?).ok()?,
        })
    }

    fn load(&mut self, table: TableAt<'_>) -> Option<Load> {
        self.reader.check_keys(table, "[load]", &["clients", "transfers", "every-ms"], &["burst"]);
        let clients = self.bounded(table, "clients", 1..=16, None);
        let transfers = self.bounded(table, "transfers", 1..=400, None);
        let every_ms = self.bounded(table, "every-ms", 1..=10_000, None);
        let burst = self.bounded(table, "burst", 1..=100, Some(1));
        Some(Load {
            clients: u16::try_from(clients?).ok()?,
            transfers: u32::try_from(transfers?).ok()?,
            every_ms: u32::try_from(every_ms?).ok()?,
            burst: u32::try_from(burst?).ok()?,
        })
    }

    /// The faults and attacks of a table; `None` when one of them is unreadable, which has been noted.
    fn happenings(&mut self, table: TableAt<'_>, prefix: &str) -> Option<Happenings> {
        let has = |key| table.0.contains_key(key);
        let faults = match has("fault") {
            true => self.reader.list(table, "fault"),
            false => Some(Vec::new()),
        };
        let attacks = match has("attack") {
            true => self.reader.list(table, "attack"),
            false => Some(Vec::new()),
        };
        let faults: Option<Vec<_>> = faults.map(|tables| {
            let whose = format!("[[{prefix}fault]]");
            tables.into_iter().map(|table| self.fault(table, &whose)).collect()
        });
        let attacks: Option<Vec<_>> = attacks.map(|tables| {
            let whose = format!("[[{prefix}attack]]");
            tables.into_iter().map(|table| self.attack(table, &whose)).collect()
        });
        let faults: Option<Vec<_>> = faults?.into_iter().collect();
        let attacks: Option<Vec<_>> = attacks?.into_iter().collect();
        Some((faults?, attacks?))
    }

    fn attack(&mut self, table: TableAt<'_>, whose: &str) -> Option<Attack> {
        self.reader.check_keys(table, whose, &["validator", "attack"], &[]);
        let validator = self.validator(table, "validator");
        let attack = self.reader.text(table, "attack")?;
        Some(Attack { validator: validator?, attack: attack.value, line: attack.line })
    }

    fn fault(&mut self, table: TableAt<'_>, whose: &str) -> Option<At<Fault>> {
        let Some(kind) = self.reader.text(table, "kind") else {
            self.reader.check_keys(table, whose, &["kind"], &[]);
            return None;
        };
        let keys: &[&str] = match kind.value.as_str() {
            "crash" | "pause" | "omit-send" | "omit-receive" => &["kind", "validator"],
            "cut" => &["kind", "from", "to"],
            "partition" => &["kind", "side"],
            "delay" => &["kind", "validator", "delay-ms"],
            "delay-link" => &["kind", "from", "to", "delay-ms"],
            "slow-disk" => &["kind", "validator", "sync-ms"],
            "clock" => &["kind", "validator", "shift-ms"],
            other => {
                let instead = suggestion(other, &Kind::NAMES, "its kinds are");
                let text = format!("unknown kind {other:?} of {whose}: {instead}");
                self.reader.problems.push(kind.line, text);
                return None;
            }
        };
        let whose = format!("{whose} of kind {}", kind.value);
        self.reader.check_keys(table, &whose, keys, &["at-ms", "for-ms"]);
        let when = self.window(table);
        let kind = self.kind(table, &kind.value);
        Some(At { value: Fault { when: when?, kind: kind? }, line: table.1 })
    }

    fn kind(&mut self, table: TableAt<'_>, name: &str) -> Option<Kind> {
        let narrow = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        Some(match name {
            "crash" => Kind::Crash { validator: self.validator(table, "validator")? },
            "pause" => Kind::Pause { validator: self.validator(table, "validator")? },
            "omit-send" => Kind::OmitSend { validator: self.validator(table, "validator")? },
            "omit-receive" => Kind::OmitReceive { validator: self.validator(table, "validator")? },
            "cut" => {
                let (from, to) = self.link(table)?;
                Kind::Cut { from, to }
            }
            "partition" => Kind::Partition { side: self.side(table)? },
            "delay" => {
                let delay_ms = self.bounded(table, "delay-ms", DELAY_MS, None);
                Kind::Delay {
                    validator: self.validator(table, "validator")?,
                    delay_ms: narrow(delay_ms?),
                }
            }
            "delay-link" => {
                let delay_ms = self.bounded(table, "delay-ms", DELAY_MS, None);
                let (from, to) = self.link(table)?;
                Kind::DelayLink { from, to, delay_ms: narrow(delay_ms?) }
            }
            "slow-disk" => {
                let sync_ms = self.bounded(table, "sync-ms", DELAY_MS, None);
                Kind::SlowDisk {
                    validator: self.validator(table, "validator")?,
                    sync_ms: narrow(sync_ms?),
                }
            }
            _ => Kind::Clock {
                validator: self.validator(table, "validator")?,
                shift_ms: self.shift(table)?,
            },
        })
    }

    fn shift(&mut self, table: TableAt<'_>) -> Option<i64> {
        let At { value, line } = self.reader.signed(table, "shift-ms")?;
        if (1..=SHIFT_MAX_MS).contains(&value.unsigned_abs()) {
            return Some(value);
        }
        let text = format!("shift-ms is {value}, it must be 1 to {SHIFT_MAX_MS} either way");
        self.reader.problems.push(line, text);
        None
    }

    fn window(&mut self, table: TableAt<'_>) -> Option<Window> {
        let at_ms = self.reader.number(table, "at-ms");
        if at_ms.is_none() && table.0.contains_key("at-ms") {
            return None;
        }
        let at = at_ms.unwrap_or(At { value: 0, line: table.1 });
        if at.value >= self.run_ms {
            let text =
                format!("it begins at {} ms, and the run ends at {} ms", at.value, self.run_ms);
            self.reader.problems.push(at.line, text);
            return None;
        }
        if !table.0.contains_key("for-ms") {
            return Some(Window { at_ms: at.value, end_ms: self.run_ms });
        }
        let length = self.reader.number(table, "for-ms")?;
        let end_ms = at.value.saturating_add(length.value);
        if length.value == 0 || end_ms > self.run_ms {
            let text = format!(
                "it begins at {} ms and lasts {} ms: give at least 1, and an end within the {} ms of the run, or leave \
                 for-ms out",
                at.value, length.value, self.run_ms
            );
            self.reader.problems.push(length.line, text);
            return None;
        }
        Some(Window { at_ms: at.value, end_ms })
    }

    fn link(&mut self, table: TableAt<'_>) -> Option<(u16, u16)> {
        let (from, to) = (self.validator(table, "from"), self.validator(table, "to"));
        let (from, to) = (from?, to?);
        if from == to {
            let text = format!("from and to are both {from}: a link has two ends");
            self.reader.problems.push(table.1, text);
            return None;
        }
        Some((from, to))
    }

    fn side(&mut self, table: TableAt<'_>) -> Option<Vec<u16>> {
        let At { value, line } = self.reader.numbers(table, "side")?;
        let side = self.members("side", &At { value, line })?;
        if side.is_empty() || side.len() >= usize::try_from(self.validators).unwrap_or(usize::MAX) {
            self.reader
                .problems
                .push(line, "side must name some of the validators, and not all of them");
            return None;
        }
        Some(side)
    }

    /// Validators that there are, in order.
    fn members(&mut self, key: &str, found: &At<Vec<u64>>) -> Option<Vec<u16>> {
        let checked: Vec<Option<u16>> = found
            .value
            .iter()
            .map(|number| self.member(key, At { value: *number, line: found.line }))
            .collect();
        let mut members: Vec<u16> = checked.into_iter().collect::<Option<_>>()?;
        members.sort_unstable();
        if members.windows(2).any(|pair| pair.first() == pair.last()) {
            self.reader.problems.push(found.line, format!("{key} names a validator twice"));
            return None;
        }
        Some(members)
    }

    fn member(&mut self, key: &str, number: At<u64>) -> Option<u16> {
        if number.value < self.validators {
            return u16::try_from(number.value).ok();
        }
        let last = self.validators.saturating_sub(1);
        let text = format!("{key} is {}, and the validators are 0 to {last}", number.value);
        self.reader.problems.push(number.line, text);
        None
    }

    fn validator(&mut self, table: TableAt<'_>, key: &str) -> Option<u16> {
        let number = self.reader.number(table, key)?;
        self.member(key, number)
    }

    fn expect(&mut self, table: TableAt<'_>, whose: &str) -> Option<Expect> {
        let common = [
            "height-min",
            "culprits",
            "convicted",
            "forks-min",
            "view-changes-min",
            "view-changes-max",
        ];
        let beyond = whose == "[beyond.expect]";
        let required: &[&str] = if beyond { &["fails", "why"] } else { &["live-within-ms"] };
        let more: &[&str] = if beyond { &["halts-from-ms"] } else { &["level"] };
        self.reader.check_keys(table, whose, required, &[common.as_slice(), more].concat());
        let fails = match beyond {
            true => Some(self.word(
                table,
                "fails",
                "property",
                &Fails::ALL.map(|it| (it.name(), it)),
            )?),
            false => None,
        };
        let why = if beyond { Some(self.said(table, "why")?) } else { None };
        let live_within_ms = self.optional(table, "live-within-ms", 1..=60_000)?;
        let halts_from_ms = self.optional(table, "halts-from-ms", 0..=60_000)?;
        Some(Expect {
            fails,
            why,
            live_within_ms: live_within_ms.filter(|_| !beyond),
            halts_from_ms: halts_from_ms.filter(|_| beyond),
            height_min: self.optional(table, "height-min", 1..=100_000)?,
            level: self.flag(table, "level")?,
            culprits: self.who(table, "culprits")?,
            convicted: self.who(table, "convicted")?,
            forks_min: self.optional(table, "forks-min", 1..=100_000)?,
            view_changes_min: self.optional(table, "view-changes-min", 1..=1_000)?,
            view_changes_max: self.optional(table, "view-changes-max", 0..=1_000)?,
        })
    }

    fn who(&mut self, table: TableAt<'_>, key: &str) -> Option<Option<Vec<u16>>> {
        if !table.0.contains_key(key) {
            return Some(None);
        }
        let numbers = self.reader.numbers(table, key)?;
        self.members(key, &numbers).map(Some)
    }

    fn flag(&mut self, (table, _): TableAt<'_>, key: &str) -> Option<bool> {
        let Some(value) = table.get(key) else {
            return Some(false);
        };
        let found = value.get_ref().as_bool();
        if found.is_none() {
            let line = Some(self.reader.line(&value.span()));
            self.reader.wrong_kind(line, key, "true or false", value.get_ref());
        }
        found
    }

    /// A number, if there is one: within bounds, or that it is not is noted.
    fn optional(
        &mut self,
        table: TableAt<'_>,
        key: &str,
        bounds: RangeInclusive<u64>,
    ) -> Option<Option<u64>> {
        if !table.0.contains_key(key) {
            return Some(None);
        }
        self.bounded(table, key, bounds, None).map(Some)
    }

    /// A number within bounds, or else what it is when nothing is said.
    fn bounded(
        &mut self,
        table: TableAt<'_>,
        key: &str,
        bounds: RangeInclusive<u64>,
        otherwise: Option<u64>,
    ) -> Option<u64> {
        if !table.0.contains_key(key) {
            return otherwise;
        }
        let At { value, line } = self.reader.number(table, key)?;
        if bounds.contains(&value) {
            return Some(value);
        }
        let (least, most) = bounds.into_inner();
        self.reader.problems.push(line, format!("{key} is {value}, it must be {least} to {most}"));
        None
    }

    /// One of a few words.
    fn word<T: Copy>(
        &mut self,
        table: TableAt<'_>,
        key: &str,
        what: &str,
        words: &[(&str, T)],
    ) -> Option<T> {
        let At { value, line } = self.reader.text(table, key)?;
        if let Some((_, meant)) = words.iter().find(|(word, _)| *word == value) {
            return Some(*meant);
        }
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let instead = suggestion(&value, &known, "there are");
        self.reader.problems.push(line, format!("unknown {what} {value:?}: {instead}"));
        None
    }
}

/// A situation in which all of these happen.
fn situation<const N: usize>(happenings: [Happenings; N], expect: Expect) -> Situation {
    let (mut faults, mut attacks) = (Vec::new(), Vec::new());
    for (more_faults, more_attacks) in happenings {
        faults.extend(more_faults.into_iter().map(|fault| fault.value));
        attacks.extend(more_attacks);
    }
    Situation { faults, attacks, expect }
}
