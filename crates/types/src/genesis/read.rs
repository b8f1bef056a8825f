//! Reads a document into a draft: which keys there are, of which kind, on which line.

use crate::address::{Address, check_prefix};
use crate::amount::Denomination;
use crate::document::{At, Problems, Reader, TableAt};
use crate::genesis::draft::{Draft, DraftAccount, DraftValidator};
use crate::genesis::write::{ACCOUNT_KEYS, ROOT_KEYS, VALIDATOR_KEYS};
use crate::parameters::KEYS;

/// What a document says, and what about its form is wrong.
pub(super) fn read(text: &str) -> (Draft, Problems) {
    Reader::read(text, |reader, root| GenesisReader(reader).draft(root))
}

struct GenesisReader<'r>(&'r mut Reader);

impl GenesisReader<'_> {
    fn draft(&mut self, table: TableAt<'_>) -> Draft {
        self.0.check_keys(table, "the genesis", &ROOT_KEYS.map(|key| key.name), &[]);
        let name = self.0.text(table, "name");
        let prefix = self.0.text(table, "prefix");
        let symbol = self.0.text(table, "symbol");
        let decimals = self.0.number(table, "decimals");
        let denomination = self.denomination(symbol, decimals);
        let parameters = self.parameters(table);
        let validators = self
            .0
            .list(table, "validators")
            .map(|tables| tables.into_iter().map(|table| self.validator(table)).collect());
        let readable = prefix
            .as_ref()
            .map(|prefix| prefix.value.as_str())
            .filter(|prefix| check_prefix(prefix).is_ok())
            .zip(denomination.as_ref());
        let accounts = self.0.list(table, "accounts").and_then(|tables| {
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
            self.0.problems.note(symbol.line, checked).map(|_| symbol.value)
        });
        let sound_decimals = decimals.and_then(|decimals| {
            let value = u8::try_from(decimals.value).unwrap_or(u8::MAX);
            let checked = Denomination::new("X", value);
            self.0.problems.note(decimals.line, checked).map(|_| value)
        });
        Denomination::new(&sound_symbol?, sound_decimals?).ok()
    }

    fn parameters(&mut self, root: TableAt<'_>) -> [Option<At<u64>>; KEYS.len()] {
        let Some(table) = self.0.table(root, "parameters") else {
            return KEYS.map(|_| None);
        };
        self.0.check_keys(table, "[parameters]", &KEYS.map(|key| key.name), &[]);
        KEYS.map(|key| self.0.number(table, key.name))
    }

    fn validator(&mut self, table: TableAt<'_>) -> DraftValidator {
        self.0.check_keys(table, "[[validators]]", &VALIDATOR_KEYS.map(|key| key.name), &[]);
        DraftValidator {
            name: self.0.text(table, "name"),
            key: self.0.parsed(table, "key"),
            peer_id: self.0.text(table, "peer_id"),
        }
    }

    fn account(
        &mut self,
        table: TableAt<'_>,
        readable: Option<(&str, &Denomination)>,
    ) -> DraftAccount {
        self.0.check_keys(table, "[[accounts]]", &ACCOUNT_KEYS.map(|key| key.name), &[]);
        let address = self.0.text(table, "address");
        let balance = self.0.text(table, "balance");
        let Some((prefix, denomination)) = readable else {
            return DraftAccount { address: None, balance: None };
        };
        DraftAccount {
            address: address.and_then(|text| {
                let address = Address::from_text(prefix, &text.value);
                let address = self.0.problems.note(text.line, address)?;
                Some(text.with(address))
            }),
            balance: balance.and_then(|text| {
                let balance = denomination.parse(&text.value);
                let balance = self.0.problems.note(text.line, balance)?;
                Some(text.with(balance))
            }),
        }
    }
}
