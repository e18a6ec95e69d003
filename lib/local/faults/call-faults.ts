// Faults on the calls that functions make to AWS. The gateway asks twice per call: before it forwards and after the
// answer arrived. Deciding is pure bookkeeping; the gateway kills, delays, hangs up or answers.

import type { CallMatch, FaultHandle, ObservedCall, When } from '../../recovery/drill/faults.ts';
import { countedHandle } from './handle.ts';

export interface InterceptedCall {
  functionName: string;
  pid: number;
  service: string;
  operation: string;
  bodyText(): string;
  /** Header `amz-sdk-invocation-id`: the same for every try of one call. */
  callId?: string;
  /** HTTP status of the answer; absent before there is one. */
  status?: number;
}

/** What the gateway does with a call. `delayMs` comes first, whatever the verdict. */
export interface Verdict {
  delayMs: number;
  end:
    | { kind: 'pass' }
    | { kind: 'kill'; alone?: boolean }
    | { kind: 'drop' }
    | { kind: 'fail'; code: string; message: string; status: number };
}

interface Rule {
  matches(call: InterceptedCall): boolean;
  when: When;
  nth: number;
  times: number;
  seen: number;
  action:
    | Verdict['end']
    | { kind: 'delay'; delayMs: number }
    | { kind: 'observe'; listener: (call: ObservedCall) => void };
  handle: ReturnType<typeof countedHandle>;
}

export interface CallFaults {
  add(target: CallMatch, when: When, action: Rule['action']): FaultHandle;
  decide(call: InterceptedCall, when: When): Verdict;
  clear(): void;
}

/** `physicalName` turns any name of a function into its physical one, or throws. */
export function createCallFaults(physicalName: (functionName: string) => string, now: () => number): CallFaults {
  const rules = new Set<Rule>();
  return {
    add(target, when, action) {
      const functionName = physicalName(target.functionName);
      const operations = new Set([target.operation].flat());
      const description = `${action.kind} ${when} ${target.service} ${[...operations].join('|')} of ${functionName}`;
      const rule: Rule = {
        matches: (call) =>
          call.functionName === functionName &&
          call.service === target.service &&
          operations.has(call.operation) &&
          (target.match === undefined || target.match(call.bodyText())),
        when,
        nth: target.nth ?? 1,
        times: target.times ?? (action.kind === 'observe' ? Number.POSITIVE_INFINITY : 1),
        seen: 0,
        action,
        handle: countedHandle(description, () => rules.delete(rule)),
      };
      rules.add(rule);
      return rule.handle;
    },
    decide(call, when) {
      const verdict: Verdict = { delayMs: 0, end: { kind: 'pass' } };
      for (const rule of rules) {
        if (rule.when !== when || rule.handle.fired >= rule.times || !rule.matches(call)) continue;
        // `after` means that AWS did it: a refused call is none of its business. Observers see both.
        if (when === 'after' && rule.action.kind !== 'observe' && !succeeded(call)) continue;
        rule.seen += 1;
        if (rule.seen < rule.nth) continue;
        const { action } = rule;
        if (action.kind === 'delay') verdict.delayMs += action.delayMs;
        else if (action.kind === 'observe') action.listener(observed(call, now()));
        else if (verdict.end.kind === 'pass') verdict.end = action;
        else continue;
        rule.handle.fire();
      }
      return verdict;
    },
    clear: () => rules.clear(),
  };
}

const succeeded = (call: InterceptedCall): boolean => call.status !== undefined && call.status < 300;

const observed = (call: InterceptedCall, at: number): ObservedCall => ({
  functionName: call.functionName,
  pid: call.pid,
  service: call.service,
  operation: call.operation,
  bodyText: call.bodyText(),
  ok: succeeded(call),
  at,
  ...(call.callId !== undefined && { callId: call.callId }),
});
