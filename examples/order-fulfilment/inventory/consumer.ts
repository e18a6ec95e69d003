// What the inventory consumer is: read by the stack at synth and by the function at start.

import type { ConsumerDeclaration } from 'event-recovery/runtime';

export const inventory = {
  name: 'inventory',
  eventTypes: ['OrderPlaced', 'OrderCancelled'],
  // Its effect is DynamoDB writes: they commit together with the checkpoint, so stock moves exactly once.
  effects: 'transactional',
  // An order that cannot be read must not be forgotten: later events of its stream wait until somebody has looked.
  onPoison: 'park',
  maxAttempts: 3,
  // The verification asks its function whether the stock says what the orders say (verify.ts).
  verifiesEffects: true,
} as const satisfies ConsumerDeclaration;
