import { describe, expect, it } from '@jest/globals';
import { createCallFaults, type InterceptedCall } from '../../../lib/local/faults/call-faults.ts';
import type { ObservedCall } from '../../../lib/recovery/drill/faults.ts';

const names: Record<string, string> = { inventory: 'Example-Inventory' };
const faults = () =>
  createCallFaults(
    (name) => names[name] ?? name,
    () => 42,
  );
const call = (more: Partial<InterceptedCall> & { body?: string } = {}): InterceptedCall => ({
  functionName: 'Example-Inventory',
  pid: 7,
  service: 'dynamodb',
  operation: 'TransactWriteItems',
  bodyText: () => more.body ?? '{}',
  ...more,
});
const commits = { functionName: 'inventory', service: 'dynamodb', operation: 'TransactWriteItems' };

describe('faults on calls', () => {
  it('fires once, at the nth call that matches, and is spent', () => {
    const all = faults();
    const handle = all.add({ ...commits, nth: 2 }, 'before', { kind: 'kill' });
    const kinds = [1, 2, 3].map(() => all.decide(call(), 'before').end.kind);
    expect(kinds).toEqual(['pass', 'kill', 'pass']);
    expect(handle.fired).toBe(1);
  });

  it('leaves other functions, services, operations, bodies and moments alone', () => {
    const all = faults();
    all.add({ ...commits, match: (body) => body.includes('order-50') }, 'after', { kind: 'kill' });
    const right = { body: 'order-50' };
    const others: [Partial<InterceptedCall> & { body?: string }, 'before' | 'after'][] = [
      [right, 'before'],
      [{ body: 'order-51' }, 'after'],
      [{ ...right, functionName: 'Example-Other' }, 'after'],
      [{ ...right, service: 'sqs' }, 'after'],
      [{ ...right, operation: 'PutItem' }, 'after'],
    ];
    for (const [more, when] of others) expect(all.decide(call({ status: 200, ...more }), when).end.kind).toBe('pass');
    expect(all.decide(call({ status: 200, ...right }), 'after').end.kind).toBe('kill');
  });

  it('fires after a call only when AWS carried it out', () => {
    const all = faults();
    const handle = all.add(commits, 'after', { kind: 'kill' });
    expect(all.decide(call({ status: 400 }), 'after').end.kind).toBe('pass');
    expect(all.decide(call({ status: 200 }), 'after').end.kind).toBe('kill');
    expect(handle.fired).toBe(1);
  });

  it('adds up delays and takes the first end', () => {
    const all = faults();
    all.add(commits, 'before', { kind: 'delay', delayMs: 30 });
    all.add(commits, 'before', { kind: 'delay', delayMs: 20 });
    all.add(commits, 'before', { kind: 'fail', code: 'Throttled', message: '', status: 400 });
    const second = all.add(commits, 'before', { kind: 'kill' });
    expect(all.decide(call(), 'before')).toMatchObject({ delayMs: 50, end: { kind: 'fail', code: 'Throttled' } });
    expect(second.fired).toBe(0);
  });

  it('shows calls and their success to an observer and changes nothing', () => {
    const all = faults();
    const seen: unknown[] = [];
    const listener = (call: ObservedCall) => seen.push([call.bodyText, call.ok, call.at]);
    all.add(commits, 'after', { kind: 'observe', listener });
    const kill = all.add({ ...commits, match: (body) => body === 'b' }, 'after', { kind: 'kill' });
    expect(all.decide(call({ body: 'a', status: 400 }), 'after').end.kind).toBe('pass');
    expect(all.decide(call({ body: 'b', status: 200 }), 'after').end.kind).toBe('kill');
    expect(kill.fired).toBe(1);
    expect(seen).toEqual([
      ['a', false, 42],
      ['b', true, 42],
    ]);
  });

  it('tells who waits for it, and says what did not happen', async () => {
    const all = faults();
    const handle = all.add({ ...commits, times: 2 }, 'before', { kind: 'kill' });
    const waiting = handle.whenFired({ count: 2, timeoutMs: 5_000 });
    all.decide(call(), 'before');
    all.decide(call(), 'before');
    await expect(waiting).resolves.toBeUndefined();
    await expect(handle.whenFired({ count: 3, timeoutMs: 1 })).rejects.toMatchObject({ code: 'LOCAL_FAULT_NOT_FIRED' });
  });

  it('is gone when it is removed', () => {
    const all = faults();
    all.add(commits, 'before', { kind: 'kill' }).remove();
    expect(all.decide(call(), 'before').end.kind).toBe('pass');
  });
});
