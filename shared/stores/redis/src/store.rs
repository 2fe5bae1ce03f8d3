//! The port, operation by operation.

use twinlane_store::{
    Answer, Budget, Cursor, Filter, Meter, Millis, Page, Reservation, Reserved, Store, UsageRecord, Verdict,
};

use crate::Redis;

impl Store for Redis {
    fn engine(&self) -> &'static str {
        "redis"
    }

    fn spend<'a>(&'a self, meters: &'a [Meter], now: Millis) -> Answer<'a, Verdict> {
        Box::pin(self.spend_all(meters, now))
    }

    fn correct<'a>(&'a self, meter: &'a Meter, delta: i64, now: Millis) -> Answer<'a, ()> {
        Box::pin(self.correct_one(meter, delta, now))
    }

    fn enter<'a>(
        &'a self,
        key: &'a str,
        lease: &'a str,
        most: u64,
        now: Millis,
        until: Millis,
    ) -> Answer<'a, bool> {
        Box::pin(self.take_place(key, lease, most, now, until))
    }

    fn leave<'a>(&'a self, key: &'a str, lease: &'a str) -> Answer<'a, ()> {
        Box::pin(self.give_place_back(key, lease))
    }

    fn reserve<'a>(
        &'a self,
        budget: &'a Budget,
        reservation: &'a Reservation,
        now: Millis,
    ) -> Answer<'a, Reserved> {
        Box::pin(self.set_aside(budget, reservation, now))
    }

    fn settle<'a>(
        &'a self,
        budget: &'a Budget,
        reservation: &'a str,
        spent: u64,
        _: Millis,
    ) -> Answer<'a, ()> {
        Box::pin(self.settle_one(budget, reservation, spent))
    }

    fn balance<'a>(&'a self, budget: &'a Budget, now: Millis) -> Answer<'a, (u64, u64)> {
        Box::pin(self.balance_of(budget, now))
    }

    fn put<'a>(&'a self, key: &'a str, value: &'a [u8], until: Option<Millis>) -> Answer<'a, ()> {
        Box::pin(async move { self.put_value(key, value, until, None).await.map(|_| ()) })
    }

    fn put_new<'a>(
        &'a self,
        key: &'a str,
        value: &'a [u8],
        now: Millis,
        until: Option<Millis>,
    ) -> Answer<'a, bool> {
        Box::pin(self.put_value(key, value, until, Some(now)))
    }

    fn get<'a>(&'a self, key: &'a str, now: Millis) -> Answer<'a, Option<Vec<u8>>> {
        Box::pin(self.value(key, now))
    }

    fn keys<'a>(&'a self, prefix: &'a str, now: Millis) -> Answer<'a, Vec<String>> {
        Box::pin(self.names(prefix, now))
    }

    fn delete<'a>(&'a self, key: &'a str) -> Answer<'a, ()> {
        Box::pin(self.delete_value(key))
    }

    fn append<'a>(&'a self, record: &'a UsageRecord, until: Option<Millis>) -> Answer<'a, ()> {
        Box::pin(self.append_record(record, until))
    }

    fn records<'a>(&'a self, filter: &'a Filter, after: Option<&'a Cursor>, most: usize) -> Answer<'a, Page> {
        Box::pin(self.page(filter, after, most))
    }

    fn record<'a>(&'a self, id: &'a str) -> Answer<'a, Option<UsageRecord>> {
        Box::pin(self.record_of(id))
    }

    fn sweep(&self, now: Millis) -> Answer<'_, ()> {
        Box::pin(async move {
            self.forget_names(now).await?;
            self.tidy_log(now).await
        })
    }
}
