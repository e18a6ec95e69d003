// Events for benchmarks: orders with texts that compress about as well as real ones, the same in every run.

import type { NewEvent } from '../../model/event.ts';

const WORDS = (
  'order item quantity price address street city customer express parcel gift invoice paid pending shipped returned ' +
  'warehouse shelf north south morning evening please ring leave door neighbour fragile glass blue green red small large'
).split(' ');

/** `count` events whose `data` has about `dataBytes` bytes of JSON. */
export function benchEvents(count: number, dataBytes: number, idPrefix: string): NewEvent[] {
  return Array.from({ length: count }, (_, index) => {
    const id = `${idPrefix}-${index}`;
    return { id, type: 'OrderPlaced', data: { sku: 'A1', quantity: 2, note: text(dataBytes - 40, seedOf(id)) } };
  });
}

function text(bytes: number, seed: number): string {
  let state = seed;
  let note = '';
  while (note.length < bytes) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    // Every third word is a number, as in real orders.
    note += state % 3 === 0 ? `${state} ` : `${WORDS[(state >>> 8) % WORDS.length]} `;
  }
  return note.slice(0, Math.max(0, bytes));
}

function seedOf(id: string): number {
  let hash = 2_166_136_261;
  for (let index = 0; index < id.length; index += 1) hash = Math.imul(hash ^ id.charCodeAt(index), 16_777_619);
  return hash >>> 0;
}
