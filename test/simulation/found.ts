// Seeds in which the simulation has found a fault, of the code under test or of its own checks, and what it was. They are run
// at every test; a later change of the plan gives a seed another course, so each finding also has a test of its own.

export const FOUND: readonly { seed: number; what: string; test?: string }[] = [
  {
    seed: 223,
    what: "a cold scan with a wrong clock took the scan's lease minutes too early",
    test: 'test/recovery/gap/scan.test.ts',
  },
  {
    seed: 1013,
    what: 'a redelivery that was on its way undid the discard of its dead letter',
    test: 'test/flow/consumer/engine/rewind-redeliver.test.ts',
  },
  {
    seed: 5267,
    what: "the intake dropped a dead holder's message, which was the last one for what others had asked for",
    test: 'test/recovery/dead-letter-intake/intake.test.ts',
  },
  {
    seed: 160,
    what: 'a redelivery that an operator asked for undid the discard of a dead letter',
    test: 'test/flow/consumer/engine/rewind-redeliver.test.ts',
  },
  {
    seed: 438,
    what: 'the verifier judged a rewound event by the dead letter of its earlier generation',
    test: 'test/recovery/verify/verify.test.ts',
  },
  {
    seed: 3323,
    what: 'a process that slept while its answer came took the time to be seconds later than it was, and a lease before its end',
    test: 'test/platform/server-clock.test.ts',
  },
  {
    seed: 310,
    what: 'the scrub closed damage that it had met in the same look, because its clock went back when it learned the time',
    test: 'test/recovery/scrub/scrub.test.ts',
  },
  { seed: 8621, what: 'the end of the quiet time came three seconds after a late retry had appended' },
  { seed: 1142, what: 'the ledger did not know that a sleeper disturbs when it wakes up' },
  {
    seed: 3722,
    what: 'a lease that a dead holder left was taken for held long after its end, though only unwanted events followed',
    test: 'test/simulation/invariants/quiet-checks.test.ts',
  },
  {
    seed: 54037,
    what: 'a dead-letter queue was not polled any more after the intake had been at work for another one, which counted as one limit',
    test: 'test/simulation/world/queue-source.test.ts',
  },
  {
    seed: 2612,
    what: 'a redrive that was done with its first answer was reported as recovered while the streams that it un-parked were still at work',
    test: 'test/recovery/recover/operations.test.ts',
  },
];
