//! Jobs and their targets: what a configuration and discovery change. I/O: starts discovery.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use kernel::Labels;
use tokio::task::JoinHandle;

use super::Active;
use super::active::JobAtWork;
use super::counters::count;
use super::run::{Runner, Update};
use super::views::PoolState;
use crate::config::{Config, Job, TargetGroup};
use crate::discovery::{Found, Updates, discoverer};
use crate::target::{Populated, Target, populate};

/// A job with what is known of its targets.
pub(super) struct Pool {
    at_work: Arc<JobAtWork>,
    generation: u64,
    /// What each discovery found last; `None` before it found anything.
    found: Vec<Option<Vec<TargetGroup>>>,
    tasks: Vec<JoinHandle<()>>,
    active: HashMap<u64, Arc<Active>>,
    dropped: Vec<Labels>,
    dropped_count: usize,
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.stop_discovery();
    }
}

impl Pool {
    pub(super) fn active(&self) -> impl Iterator<Item = &Arc<Active>> {
        self.active.values()
    }

    pub(super) fn has_group(&self, group: &str) -> bool {
        self.active.values().any(|a| a.group == group)
    }

    fn stop_discovery(&mut self) {
        for task in self.tasks.drain(..) {
            task.abort();
        }
    }
}

impl Runner {
    /// Takes a configuration.
    pub(super) fn reload(&mut self, config: &Config) {
        count(&self.shared.counters.reloads, 1);
        if let Some(shortest) = config.jobs.iter().map(|job| job.interval).min() {
            self.shared.queue.set_shortest_interval(shortest);
        }
        let names: HashSet<&str> = config.jobs.iter().map(|job| job.name.as_str()).collect();
        let gone: Vec<String> = self.pools.keys().filter(|name| !names.contains(name.as_str())).cloned().collect();
        for name in gone {
            if let Some(mut pool) = self.pools.remove(&name) {
                pool.stop_discovery();
                for active in pool.active.values() {
                    self.delist(active);
                }
            }
            self.shared.views.write().0.remove(&name);
        }
        for job in &config.jobs {
            match self.pools.get(&job.name) {
                Some(pool) if pool.at_work.job == *job => {}
                Some(_) => self.change(job),
                None => self.begin_job(job),
            }
        }
    }

    fn begin_job(&mut self, job: &Arc<Job>) {
        let at_work = Arc::new(JobAtWork::new(job));
        let mut pool = Pool {
            at_work,
            generation: 0,
            found: Vec::new(),
            tasks: Vec::new(),
            active: HashMap::new(),
            dropped: Vec::new(),
            dropped_count: 0,
        };
        self.discover(&mut pool);
        self.pools.insert(job.name.clone(), pool);
        self.sync(&job.name);
    }

    /// Starts to find a job's targets.
    fn discover(&mut self, pool: &mut Pool) {
        pool.stop_discovery();
        self.generation += 1;
        pool.generation = self.generation;
        let job = Arc::clone(&pool.at_work.job);
        pool.found = vec![None; job.discovery.len()];
        for (index, config) in job.discovery.iter().enumerate() {
            let (sender, name, generation) = (self.updates.clone(), job.name.clone(), self.generation);
            let updates = Updates::new(move |found| {
                // Nobody listens any more when scraping ends.
                let _ = sender.send(Update { job: name.clone(), generation, index, found });
            });
            pool.tasks.push(tokio::spawn(discoverer(config).run(updates)));
        }
    }

    /// A job is written otherwise than before: its targets go on under the new rules.
    fn change(&mut self, job: &Arc<Job>) {
        let Some(mut pool) = self.pools.remove(&job.name) else { return };
        let same = pool.at_work.job.discovery == job.discovery;
        pool.at_work = Arc::new(JobAtWork::new(job));
        if !same {
            self.discover(&mut pool);
        }
        self.pools.insert(job.name.clone(), pool);
        self.sync(&job.name);
    }

    /// What discovery brought.
    pub(super) fn update(&mut self, update: Update) {
        let Some(pool) = self.pools.get_mut(&update.job).filter(|p| p.generation == update.generation) else { return };
        match update.found {
            Found::Groups(groups) => {
                count(&self.shared.counters.discovery_updates, 1);
                if let Some(found) = pool.found.get_mut(update.index) {
                    *found = Some(groups);
                }
                self.sync(&update.job);
            }
            Found::Failed(reason) => {
                count(&self.shared.counters.discovery_failures, 1);
                tracing::warn!(job = update.job, reason, "targets cannot be found: the last ones stay");
            }
        }
    }

    /// Brings the list of targets in line with what was found.
    fn sync(&mut self, name: &str) {
        let Some(mut pool) = self.pools.remove(name) else { return };
        let wanted = self.wanted(&mut pool);
        let epoch = self.shared.queue.epoch();
        let mut kept = HashMap::with_capacity(wanted.len());
        for (hash, target) in wanted {
            let before = pool.active.remove(&hash);
            let unchanged = before.as_ref().filter(|b| Arc::ptr_eq(&b.at_work, &pool.at_work) && b.target == target);
            if let Some(active) = unchanged {
                kept.insert(hash, Arc::clone(active));
                continue;
            }
            let fresh = Active::new(target, &pool.at_work, &self.shared.options, epoch, before.as_deref());
            let fresh = Arc::new(fresh);
            if let Some(before) = before {
                before.gone.store(true, std::sync::atomic::Ordering::Release);
            }
            self.enlist(&fresh);
            kept.insert(hash, fresh);
        }
        let old = std::mem::take(&mut pool.active);
        if pool.found.iter().all(Option::is_some) {
            old.values().for_each(|active| self.delist(active));
        } else {
            // What the new discovery has not found yet stays until it has.
            kept.extend(old);
        }
        pool.active = kept;
        self.check_target_limit(&pool);
        let state = PoolState {
            job: Arc::clone(&pool.at_work.job),
            active: pool.active.values().cloned().collect(),
            dropped: pool.dropped.clone(),
            dropped_count: pool.dropped_count,
        };
        self.shared.views.write().0.insert(name.to_owned(), state);
        self.pools.insert(name.to_owned(), pool);
    }

    fn wanted(&self, pool: &mut Pool) -> HashMap<u64, Target> {
        let job = Arc::clone(&pool.at_work.job);
        let most_dropped = match job.limits.kept_dropped_targets {
            0 => usize::MAX,
            most => usize::try_from(most).unwrap_or(usize::MAX),
        };
        pool.dropped.clear();
        pool.dropped_count = 0;
        let mut out = HashMap::new();
        for group in pool.found.iter().flatten().flatten() {
            for found in &group.targets {
                match populate(&job, found, &group.labels) {
                    Ok(Populated::Kept(target)) => drop(out.insert(target.hash(), *target)),
                    Ok(Populated::Dropped(labels)) => {
                        pool.dropped_count += 1;
                        if pool.dropped.len() < most_dropped {
                            pool.dropped.push(labels);
                        }
                    }
                    Err(reason) => {
                        count(&self.shared.counters.bad_targets, 1);
                        tracing::error!(job = job.name, group = group.source, reason, "a target cannot be used");
                    }
                }
            }
        }
        out
    }

    fn check_target_limit(&self, pool: &Pool) {
        let (limit, there) = (pool.at_work.job.limits.targets, pool.active.len());
        let over = limit > 0 && there as u64 > limit;
        let error = over.then(|| format!("target_limit exceeded (number of targets: {there}, limit: {limit})"));
        if over {
            count(&self.shared.counters.target_limit, 1);
        }
        *pool.at_work.forced_error.write() = error;
    }
}
