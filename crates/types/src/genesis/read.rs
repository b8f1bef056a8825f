//! Reads a document into a draft: which keys there are, of which kind, on which line.

use std::ops::Range;
use std::str::FromStr;

use toml::de::{DeTable, DeValue};

use crate::address::{Address, check_prefix};
use crate::amount::Denomination;
use crate::genesis::draft::{At, Draft, DraftAccount, DraftValidator};
use crate::genesis::errors::Problems;
use crate::genesis::write::{ACCOUNT_KEYS, ROOT_KEYS, VALIDATOR_KEYS};
use crate::parameters::KEYS;

/// Two words are taken for the same with a typing error when they are at least this similar.
const SIMILARITY_MIN: f64 = 0.8;

/// What a document says, and what about its form is wrong.
pub(super) fn read(text: &str) -> (Draft, Problems) {
    let mut reader = Reader {
        line_ends: text.match_indices('\n').map(|(at, _)| at).collect(),
        problems: Problems::default(),
    };
    let (document, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        let draft = reader.draft(document.get_ref());
        return (draft, reader.problems);
    }
    // What a parser makes of a broken document would only be reported a second time.
    for error in errors {
        let line = error.span().map(|span| reader.line(&span));
        reader.problems.push(line, error.message());
    }
    (Draft::default(), reader.problems)
}

/// A table and the line it begins on, `None` for the document itself.
type TableAt<'d> = (&'d DeTable<'d>, Option<usize>);

struct Reader {
    /// Offsets of the line feeds.
    line_ends: Vec<usize>,
    problems: Problems,
}

impl Reader {
    fn draft(&mut self, root: &DeTable<'_>) -> Draft {
        let table = (root, None);
        self.check_keys(table, "the genesis", &ROOT_KEYS.map(|key| key.name));
        let name = self.text(table, "name");
        let prefix = self.text(table, "prefix");
        let symbol = self.text(table, "symbol");
        let decimals = self.number(table, "decimals");
        let denomination = self.denomination(symbol, decimals);
        let parameters = self.parameters(root);
        let validators = self
            .list(root, "validators")
            .map(|tables| tables.into_iter().map(|table| self.validator(table)).collect());
        let readable = prefix
            .as_ref()
            .map(|prefix| prefix.value.as_str())
            .filter(|prefix| check_prefix(prefix).is_ok())
            .zip(denomination.as_ref());
        let accounts = self.list(root, "accounts").and_then(|tables| {
            let accounts = tables.into_iter().map(|table| self.account(table, readable)).collect();
            // Without prefix and decimals no account can be read; that they are missing is reported
            // already.
            readable.map(|_| accounts)
        });
        Draft { name, prefix, denomination, parameters, validators, accounts }
    }

    fn denomination(
        &mut self,
        symbol: Option<At<String>>,
        decimals: Option<At<u64>>,
    ) -> Option<Denomination> {
        // Each is checked even when the other is missing, beside one that is always sound.
        let sound_symbol = symbol.and_then(|symbol| {
            let checked = Denomination::new(&symbol.value, 0);
            self.problems.note(symbol.line, checked).map(|_| symbol.value)
        });
        let sound_decimals = decimals.and_then(|decimals| {
            let value = u8::try_from(decimals.value).unwrap_or(u8::MAX);
            let checked = Denomination::new("X", value);
            self.problems.note(decimals.line, checked).map(|_| value)
        });
        Denomination::new(&sound_symbol?, sound_decimals?).ok()
    }

    fn parameters(&mut self, root: &DeTable<'_>) -> [Option<At<u64>>; KEYS.len()] {
        let Some(value) = root.get("parameters") else {
            return KEYS.map(|_| None);
        };
        let line = self.line(&value.span());
        let Some(parameters) = value.get_ref().as_table() else {
            self.wrong_kind(Some(line), "parameters", "a table [parameters]", value.get_ref());
            return KEYS.map(|_| None);
        };
        let table = (parameters, Some(line));
        self.check_keys(table, "[parameters]", &KEYS.map(|key| key.name));
        KEYS.map(|key| self.number(table, key.name))
    }

    fn validator(&mut self, table: TableAt<'_>) -> DraftValidator {
        self.check_keys(table, "[[validators]]", &VALIDATOR_KEYS.map(|key| key.name));
        DraftValidator {
            name: self.text(table, "name"),
            key: self.parsed(table, "key"),
            peer_id: self.text(table, "peer_id"),
        }
    }

    fn account(
        &mut self,
        table: TableAt<'_>,
        readable: Option<(&str, &Denomination)>,
    ) -> DraftAccount {
        self.check_keys(table, "[[accounts]]", &ACCOUNT_KEYS.map(|key| key.name));
        let address = self.text(table, "address");
        let balance = self.text(table, "balance");
        let Some((prefix, denomination)) = readable else {
            return DraftAccount { address: None, balance: None };
        };
        DraftAccount {
            address: address.and_then(|text| {
                let address = Address::from_text(prefix, &text.value);
                let address = self.problems.note(text.line, address)?;
                Some(text.with(address))
            }),
            balance: balance.and_then(|text| {
                let balance = denomination.parse(&text.value);
                let balance = self.problems.note(text.line, balance)?;
                Some(text.with(balance))
            }),
        }
    }

    /// Reports keys that do not exist and those that are missing.
    fn check_keys(&mut self, (table, line): TableAt<'_>, whose: &str, known: &[&str]) {
        for found in table.keys() {
            let name: &str = found.get_ref();
            if known.contains(&name) {
                continue;
            }
            let suggestion = known
                .iter()
                .map(|known| (strsim::jaro_winkler(known, name), known))
                .filter(|(similarity, _)| *similarity >= SIMILARITY_MIN)
                .max_by(|(left, _), (right, _)| left.total_cmp(right))
                .map_or_else(
                    || format!("its keys are {}", known.join(", ")),
                    |(_, known)| format!("did you mean {known}?"),
                );
            let line = self.line(&found.span());
            self.problems
                .push(Some(line), format!("unknown key {name:?} in {whose}: {suggestion}"));
        }
        for missing in known.iter().filter(|known| !table.contains_key(**known)) {
            self.problems.push(line, format!("{whose} lacks {missing}"));
        }
    }

    /// The tables of a list, each with its line.
    fn list<'d>(&mut self, root: &'d DeTable<'d>, key: &str) -> Option<Vec<TableAt<'d>>> {
        let value = root.get(key)?;
        let Some(list) = value.get_ref().as_array() else {
            let line = self.line(&value.span());
            let kind = format!("a list of tables [[{key}]]");
            self.wrong_kind(Some(line), key, &kind, value.get_ref());
            return None;
        };
        let mut tables = Vec::with_capacity(list.len());
        let mut whole = true;
        for value in list.iter() {
            let line = self.line(&value.span());
            if let Some(table) = value.get_ref().as_table() {
                tables.push((table, Some(line)));
            } else {
                whole = false;
                let kind = format!("a list of tables [[{key}]]");
                self.wrong_kind(Some(line), key, &kind, value.get_ref());
            }
        }
        whole.then_some(tables)
    }

    fn text(&mut self, (table, _): TableAt<'_>, key: &str) -> Option<At<String>> {
        let value = table.get(key)?;
        let line = Some(self.line(&value.span()));
        match value.get_ref().as_str() {
            Some(text) => Some(At { value: text.to_owned(), line }),
            None => {
                self.wrong_kind(line, key, "a text in quotes", value.get_ref());
                None
            }
        }
    }

    fn parsed<T>(&mut self, table: TableAt<'_>, key: &str) -> Option<At<T>>
    where
        T: FromStr<Err: std::fmt::Display>,
    {
        let text = self.text(table, key)?;
        match text.value.parse() {
            Ok(value) => Some(text.with(value)),
            Err(error) => {
                self.problems.push(text.line, format!("{key}: {error}"));
                None
            }
        }
    }

    fn number(&mut self, (table, _): TableAt<'_>, key: &str) -> Option<At<u64>> {
        let value = table.get(key)?;
        let line = Some(self.line(&value.span()));
        let Some(integer) = value.get_ref().as_integer() else {
            self.wrong_kind(line, key, "a whole number", value.get_ref());
            return None;
        };
        match u64::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(value) => Some(At { value, line }),
            Err(_) => {
                self.problems.push(line, format!("{key} is {integer}, which is out of bounds"));
                None
            }
        }
    }

    fn wrong_kind(&mut self, line: Option<usize>, key: &str, kind: &str, found: &DeValue<'_>) {
        let article = match found.type_str() {
            vowel if vowel.starts_with(['a', 'e', 'i', 'o', 'u']) => "an",
            _ => "a",
        };
        let found = found.type_str();
        self.problems.push(line, format!("{key} must be {kind}, found {article} {found}"));
    }

    /// The line, from 1, on which a span begins.
    fn line(&self, span: &Range<usize>) -> usize {
        self.line_ends.partition_point(|end| *end < span.start).saturating_add(1)
    }
}
