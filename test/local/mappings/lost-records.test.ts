// Records that a function never gets: only those that match, only for that function, until the fault is taken back.

import { describe, expect, it } from '@jest/globals';
import { createLostRecords } from '../../../lib/local/mappings/lost-records.ts';

const record = (id: string) => ({ dynamodb: { SequenceNumber: '1', Keys: { streamId: { S: id } } } });

describe('lost records', () => {
  it('are those that match, for the one function, and are counted', async () => {
    const lost = createLostRecords();
    const handle = lost.add({ functionName: 'Relay', match: (text) => text.includes('"order-1"') }, 'relay');
    expect(lost.isLost('relay', record('order-1'))).toBe(true);
    expect(lost.isLost('relay', record('order-2'))).toBe(false);
    expect(lost.isLost('other', record('order-1'))).toBe(false);
    expect(handle.fired).toBe(1);
    await handle.whenFired();
  });

  it('end when the fault is removed, or all are cleared', () => {
    const lost = createLostRecords();
    const fault = { functionName: 'Relay', match: () => true };
    lost.add(fault, 'relay').remove();
    expect(lost.isLost('relay', record('a'))).toBe(false);
    lost.add(fault, 'relay');
    lost.clear();
    expect(lost.isLost('relay', record('a'))).toBe(false);
  });
});
