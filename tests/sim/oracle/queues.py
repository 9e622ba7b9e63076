# SPDX-License-Identifier: BSD-2-Clause
"""
Queues that others know the answer to, twice: formulas, and models in SimPy 3.0.11 that share
nothing with pvsim (its own event queue, Python's random numbers, processor sharing computed exactly
instead of by slices). Times in ms.
"""
import math
import random


# ---- formulas -----------------------------------------------------------------------------------

def mm1_response(arrival_ms, service_ms):
    """Mean time in the system of M/M/1; it is exponential, so quantiles follow from it."""
    return service_ms / (1 - service_ms / arrival_ms)


def md1_response(arrival_ms, service_ms):
    """Mean time in the system of M/D/1 (Pollaczek-Khinchine)."""
    rho = service_ms / arrival_ms
    return service_ms + rho * service_ms / (2 * (1 - rho))


def exponential_quantile(mean, q):
    return -mean * math.log(1 - q)


def repairman_throughput(population, think_ms, service_ms):
    """Jobs per ms of M/M/1//N, the machine repairman."""
    weights = [math.perm(population, k) * (service_ms / think_ms) ** k
               for k in range(population + 1)]
    return (1 - weights[0] / sum(weights)) / service_ms


# ---- models in SimPy ----------------------------------------------------------------------------

def open_fifo(simpy, seed, arrival_ms, draw_ms, jobs):
    """Mean time in the system of so many jobs, first come, first served."""
    rng = random.Random(seed)
    env = simpy.Environment()
    server = simpy.Resource(env, capacity=1)
    times = []

    def job():
        came = env.now
        with server.request() as turn:
            yield turn
            yield env.timeout(draw_ms(rng))
        times.append(env.now - came)

    def arrivals():
        for _ in range(jobs):
            yield env.timeout(rng.expovariate(1 / arrival_ms))
            env.process(job())

    env.process(arrivals())
    env.run()
    warm = len(times) // 50
    return sum(times[warm:]) / len(times[warm:])


def closed_fifo(simpy, seed, population, think_ms, draw_ms, until_ms):
    """Jobs per ms of a closed queue, first come, first served."""
    rng = random.Random(seed)
    env = simpy.Environment()
    server = simpy.Resource(env, capacity=1)
    done = [0]

    def customer():
        while True:
            yield env.timeout(rng.expovariate(1 / think_ms))
            with server.request() as turn:
                yield turn
                yield env.timeout(draw_ms(rng))
            done[0] += 1

    for _ in range(population):
        env.process(customer())
    env.run(until=until_ms)
    return done[0] / until_ms


class Sharing:
    """A server that all who are there share equally, at every moment."""

    def __init__(self, simpy, env):
        self.simpy = simpy
        self.env = env
        self.left = {}      # event of the job: work left
        self.since = 0.0
        self.changed = env.event()
        env.process(self.serve())

    def settle(self):
        if self.left:
            each = (self.env.now - self.since) / len(self.left)
            for event in self.left:
                self.left[event] -= each
        self.since = self.env.now

    def request(self, work_ms):
        self.settle()
        event = self.env.event()
        self.left[event] = work_ms
        self.changed.succeed()
        return event

    def serve(self):
        while True:
            self.changed = self.env.event()
            if not self.left:
                yield self.changed
                continue
            first = min(self.left, key=self.left.get)
            finish = self.env.timeout(max(self.left[first], 0.0) * len(self.left))
            yield finish | self.changed
            if finish.processed:
                self.settle()
                del self.left[first]
                first.succeed()


def closed_sharing(simpy, seed, population, think_ms, draw_ms, until_ms):
    """Jobs per ms of a closed queue under processor sharing."""
    rng = random.Random(seed)
    env = simpy.Environment()
    server = Sharing(simpy, env)
    done = [0]

    def customer():
        while True:
            yield env.timeout(rng.expovariate(1 / think_ms))
            yield server.request(draw_ms(rng))
            done[0] += 1

    for _ in range(population):
        env.process(customer())
    env.run(until=until_ms)
    return done[0] / until_ms
