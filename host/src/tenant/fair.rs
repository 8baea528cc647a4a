//! Who is next: start-time fair queueing over weights, as plain arithmetic. Knows no thread and no
//! clock, so its tests are exact.
//!
//! Each tenant has a virtual time, which moves on by what its turns cost divided by its weight; the
//! one that is furthest behind is next. A turn that has not ended counts as what the tenant's turns
//! cost of late, so that several at once are shared, too. Who comes back from being idle begins
//! where the one that is furthest behind stands: it has saved nothing up, and owes what it owed.
//!
//! After P. Goyal, H. Vin, H. Cheng: Start-time Fair Queueing, 1996.

use std::time::Duration;

use crate::settings::limits::WEIGHT_MAX;

/// A tenant among those that share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Id(usize);

/// The virtual times of all tenants.
#[derive(Debug, Default)]
pub(super) struct Fair {
    shares: Vec<Share>,
    /// Where the one that was last picked stood.
    now: u128,
}

#[derive(Debug)]
struct Share {
    weight: u128,
    /// In nanoseconds times `WEIGHT_MAX`, so that dividing by a weight loses little.
    time: u128,
    /// What a turn costs of late, in the same unit, of virtual time.
    turn: u128,
    waiting: usize,
    running: usize,
}

impl Share {
    fn is_idle(&self) -> bool {
        self.waiting == 0 && self.running == 0
    }

    fn stands_at(&self) -> u128 {
        self.time + self.turn * self.running as u128
    }
}

impl Fair {
    /// One more tenant, of a weight from 1 to `WEIGHT_MAX`.
    pub(super) fn add(&mut self, weight: u32) -> Id {
        let weight = u128::from(weight.clamp(1, WEIGHT_MAX));
        self.shares.push(Share { weight, time: self.now, turn: 0, waiting: 0, running: 0 });
        Id(self.shares.len() - 1)
    }

    /// It wants a turn. Who goes on wants the next before the one that ends is charged: it was not
    /// idle.
    pub(super) fn want(&mut self, id: Id) {
        let busy = self.shares.iter().filter(|share| !share.is_idle());
        let least = busy.map(Share::stands_at).min().unwrap_or(self.now);
        let Some(share) = self.shares.get_mut(id.0) else { return };
        if share.is_idle() {
            share.time = share.time.max(least);
        }
        share.waiting += 1;
    }

    /// It no longer wants one of the turns that it wanted.
    pub(super) fn forgo(&mut self, id: Id) {
        if let Some(share) = self.shares.get_mut(id.0) {
            share.waiting = share.waiting.saturating_sub(1);
        }
    }

    /// Gives a turn to the one that is furthest behind, of those that want one.
    pub(super) fn pick(&mut self) -> Option<Id> {
        let wanting = self.shares.iter().enumerate().filter(|(_, share)| share.waiting > 0);
        let (index, at) = wanting
            .map(|(index, share)| (index, share.stands_at()))
            .min_by_key(|(_, stands_at)| *stands_at)?;
        let share = self.shares.get_mut(index)?;
        share.waiting -= 1;
        share.running += 1;
        self.now = self.now.max(at);
        Some(Id(index))
    }

    /// A turn of it has ended, and has cost so much.
    pub(super) fn charge(&mut self, id: Id, cost: Duration) {
        let Some(share) = self.shares.get_mut(id.0) else { return };
        let cost = cost.as_nanos() * u128::from(WEIGHT_MAX) / share.weight;
        share.running = share.running.saturating_sub(1);
        share.time += cost;
        share.turn = if share.turn == 0 { cost } else { (share.turn * 3 + cost) / 4 };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A tenant of the simulation: its weight, its threads, and what its turns cost, in turn.
    struct Actor {
        weight: u32,
        threads: usize,
        costs: Vec<u64>,
    }

    /// What each was given, in nanoseconds of processor time, in a simulation of `until`
    /// nanoseconds on `slots` processors, in which all threads want a turn all the time.
    fn simulate(actors: &[Actor], slots: usize, until: u64) -> Vec<u64> {
        let mut fair = Fair::default();
        let ids: Vec<Id> = actors.iter().map(|actor| fair.add(actor.weight)).collect();
        for (actor, id) in actors.iter().zip(&ids) {
            (0..actor.threads).for_each(|_| fair.want(*id));
        }
        let mut turns = vec![0; actors.len()];
        let mut given = vec![0; actors.len()];
        let mut running: Vec<(u64, usize, u64)> = Vec::new(); // end, who, cost
        let mut now = 0;
        while now < until {
            while running.len() < slots
                && let Some(id) = fair.pick()
            {
                let costs = &actors[id.0].costs;
                let cost = costs[turns[id.0] % costs.len()];
                turns[id.0] += 1;
                running.push((now + cost, id.0, cost));
            }
            let first = (0..running.len()).min_by_key(|at| running[*at].0).unwrap();
            let (end, who, cost) = running.swap_remove(first);
            now = end;
            given[who] += cost;
            fair.want(ids[who]);
            fair.charge(ids[who], Duration::from_nanos(cost));
        }
        given
    }

    #[expect(clippy::cast_precision_loss, reason = "a share to compare")]
    fn share(given: &[u64], of: usize) -> f64 {
        given[of] as f64 / given.iter().sum::<u64>() as f64
    }

    #[test]
    fn who_spins_to_its_deadline_takes_half_from_an_equal_and_no_more() {
        for slots in 1..=8 {
            let hostile = Actor { weight: 1, threads: slots * 4, costs: vec![5_000_000_000] };
            let other = Actor { weight: 1, threads: slots, costs: vec![5_000_000] };
            let given = simulate(&[hostile, other], slots, 1_000_000_000_000);
            let share = share(&given, 1);
            assert!(share >= 0.45, "{share} of {slots} slots");
        }
    }

    #[test]
    fn one_to_three_is_one_to_three() {
        for slots in 1..=4 {
            let actors = [(1, 5_000_000), (3, 7_000_000)].map(|(weight, cost)| Actor {
                weight,
                threads: slots,
                costs: vec![cost],
            });
            let given = simulate(&actors, slots, 100_000_000_000);
            let share = share(&given, 1);
            assert!((share - 0.75).abs() < 0.0375, "{share} of {slots} slots");
        }
    }

    proptest! {
        #[test]
        fn shares_follow_weights_whatever_turns_cost(
            weights in proptest::collection::vec(1u32..=10, 2..5),
            costs in proptest::collection::vec(1_000u64..50_000_000, 40),
        ) {
            let part = costs.len() / weights.len();
            let actors: Vec<Actor> = weights.iter().zip(costs.chunks(part)).map(|(weight, costs)| {
                Actor { weight: *weight, threads: 1, costs: costs.to_vec() }
            }).collect();
            let given = simulate(&actors, 1, 200_000_000_000);
            let all: u32 = weights.iter().sum();
            for (index, weight) in weights.iter().enumerate() {
                let due = f64::from(*weight) / f64::from(all);
                let share = share(&given, index);
                prop_assert!((share - due).abs() < due * 0.05, "{share} instead of {due}");
            }
        }
    }

    #[test]
    fn who_was_idle_has_saved_nothing_up_and_owes_what_it_owed() {
        let second = Duration::from_secs(1);
        let mut fair = Fair::default();
        let (idle, busy) = (fair.add(1), fair.add(1));
        for _ in 0..100 {
            fair.want(busy);
            assert_eq!(fair.pick(), Some(busy));
            fair.charge(busy, second);
        }
        let mut turns = [0; 2];
        fair.want(idle);
        fair.want(busy);
        let mut go_on = |fair: &mut Fair, cost: Duration| {
            let next = fair.pick().unwrap();
            turns[next.0] += 1;
            fair.want(next);
            fair.charge(next, cost);
            next
        };
        for _ in 0..20 {
            go_on(&mut fair, second);
        }

        // Who goes away right after a long turn, and comes back, still owes it.
        let long = go_on(&mut fair, second * 10);
        fair.forgo(long);
        fair.want(long);
        for _ in 0..9 {
            assert_ne!(go_on(&mut fair, second), long);
        }
        assert_eq!(turns[0] + turns[1], 30);
        assert!((10..=11).contains(&turns[long.0]), "{turns:?}");
    }

    #[test]
    fn turns_at_once_are_shared_before_any_of_them_has_ended() {
        let mut fair = Fair::default();
        let (one, two) = (fair.add(1), fair.add(1));
        for id in [one, two] {
            fair.want(id);
        }
        for _ in 0..2 {
            let id = fair.pick().unwrap();
            fair.charge(id, Duration::from_millis(5));
        }
        for id in [one, one, one, two] {
            fair.want(id);
        }
        let picked = [fair.pick(), fair.pick()];
        assert_eq!(picked.iter().filter(|id| **id == Some(two)).count(), 1);
    }
}
