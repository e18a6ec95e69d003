// The catalogue of everything that the simulated world can do to the code under test, with the range that a seed draws
// each rate from. A rate is the probability per opportunity: a port call, a delivery, a batch, an invocation, an event.

export const FAULT_KINDS = {
  // Any port call of any process.
  throttle: { what: 'DynamoDB refuses for lack of capacity; nothing was applied', rate: [0.002, 0.08] },
  'error-before': { what: 'the request never arrives; nothing was applied', rate: [0.002, 0.05] },
  'lost-response': { what: 'the request is applied, the caller sees a network error', rate: [0.002, 0.05] },
  'repeated-request': { what: 'the answer is lost, the SDK itself sends the request again', rate: [0.002, 0.05] },
  'delayed-request': {
    what: 'the caller sees a network error, the request is applied up to 20 s later',
    rate: [0.001, 0.02],
  },
  'slow-call': { what: 'the answer takes 0.5 to 6 s', rate: [0.001, 0.03] },
  'hung-call': { what: 'no answer before the function is ended (timeout)', rate: [0.0005, 0.01] },
  pause: { what: 'the process sleeps longer than its lease and then goes on (zombie)', rate: [0.0005, 0.012] },
  'crash-before': { what: 'the process dies before the request is sent', rate: [0.0005, 0.015] },
  'crash-in-flight': { what: 'the process dies while the request is on its way; it is applied', rate: [0.0005, 0.015] },
  'crash-after': { what: 'the process dies when the answer arrives', rate: [0.0005, 0.015] },
  outage: { what: 'a table, the bus or SQS refuses everything for 1 to 30 s', rate: [0.0005, 0.006] },
  'transaction-conflict': { what: 'another transaction touches the item at this moment', rate: [0.005, 0.1] },
  'partial-batch': { what: 'a batch request leaves items unprocessed', rate: [0.02, 0.4] },
  'short-page': { what: 'a query page ends early and has to be continued', rate: [0.02, 0.4] },
  // Processes.
  'clock-skew': { what: 'a worker clock is up to 5 minutes off', rate: [0.2, 0.8] },
  'early-end': { what: 'an invocation begins with little time left', rate: [0.01, 0.1] },
  // Producers.
  'late-retry': { what: 'a producer retries an append after more than 10 minutes', rate: [0.05, 0.4] },
  // DynamoDB stream and the relay.
  'duplicate-stream-batch': { what: 'a stream batch is delivered again although it succeeded', rate: [0.02, 0.2] },
  'two-relays': { what: 'two relays work on the same stream batch at the same time', rate: [0.05, 0.4] },
  'trim-horizon': { what: 'the whole DynamoDB stream is read again from its oldest record', rate: [0.01, 0.08] },
  'stream-trim': { what: 'the relay was down for more than 24 h; old stream records are gone', rate: [0.01, 0.06] },
  'swapped-records': { what: 'records of different items arrive out of order', rate: [0.05, 0.5] },
  'stream-give-up': {
    what: 'the event source mapping gives a batch up to its on-failure destination',
    rate: [0.1, 0.8],
  },
  // Bus.
  'put-events-partial': { what: 'PutEvents refuses some entries', rate: [0.01, 0.2] },
  'bus-drop': { what: 'the bus loses a delivery', rate: [0.01, 0.15] },
  'bus-duplicate': { what: 'the bus delivers an event twice', rate: [0.02, 0.3] },
  'bus-reorder': { what: 'the bus delivers an event up to 3 minutes late', rate: [0.02, 0.4] },
  // Queues.
  'queue-duplicate': { what: 'SQS hands a message out although it is in flight or deleted', rate: [0.01, 0.2] },
  'queue-delay': { what: 'a message becomes visible later than asked for', rate: [0.02, 0.3] },
  'throttled-invoke': { what: 'Lambda has no room: a batch was received and is not invoked', rate: [0.02, 0.4] },
  'visibility-ends-early': { what: 'a message becomes visible again while it is worked on', rate: [0.01, 0.15] },
  'partial-send': { what: 'SendMessageBatch refuses some entries', rate: [0.02, 0.3] },
  // Time to live.
  'ttl-early': { what: 'an item is removed before its time to live', rate: [0.01, 0.1] },
  'ttl-late': { what: 'an expired item stays', rate: [0.1, 0.8] },
  // Operators and schedules.
  'redrive-under-faults': { what: 'an operator gives dead letters back while everything fails', rate: [0.1, 0.6] },
  'discard-under-faults': { what: 'an operator discards dead letters while everything fails', rate: [0.05, 0.3] },
  'rewind-under-faults': { what: 'an operator rewinds streams while everything fails', rate: [0.05, 0.3] },
  'redeliver-under-faults': {
    what: 'an operator has events delivered again while everything fails',
    rate: [0.05, 0.3],
  },
  'double-schedule': { what: 'a schedule fires twice at once', rate: [0.05, 0.4] },
  // The consumer's own code.
  'react-fails': { what: 'react throws for an event, once or a few times', rate: [0.02, 0.2] },
  'react-poison': { what: 'react always throws for an event', rate: [0.005, 0.05] },
  'react-kills': { what: 'react ends the process for an event, once, a few times or always', rate: [0.005, 0.05] },
  'react-hangs': { what: 'react takes longer than the function may', rate: [0.005, 0.04] },
} as const satisfies Record<string, { what: string; rate: readonly [number, number] }>;

export type FaultKind = keyof typeof FAULT_KINDS;
export const ALL_FAULT_KINDS = Object.keys(FAULT_KINDS) as FaultKind[];
export const isFaultKind = (name: string): name is FaultKind => Object.hasOwn(FAULT_KINDS, name);
