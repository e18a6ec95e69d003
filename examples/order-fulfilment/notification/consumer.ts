// What the notification consumer is: read by the stack at synth and by the function at start.

import type { ConsumerDeclaration } from 'event-recovery/runtime';

export const notification = {
  name: 'notification',
  eventTypes: ['OrderPlaced'],
  // Its effect is a message, outside DynamoDB: at least once, guarded by a marker. A crash between the message and the
  // marker sends it a second time; the message carries the event's id for whoever must not act twice.
  effects: 'idempotent',
  // It keeps nothing that its messages could be compared with, so it has no verify(): reports say "not verified".
  // A confirmation that cannot be sent must not hold back the customer's next one.
  onPoison: 'skip',
  maxAttempts: 3,
} as const satisfies ConsumerDeclaration;
