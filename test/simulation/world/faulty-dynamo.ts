// The `Dynamo` port as one simulated process has it: every request goes through the fault injector on its way to the
// memory engine, and behaves as the AWS SDK's does, including the SDK's own repetition of a request whose answer was lost.

import type { Dynamo } from '../../../lib/platform/dynamodb/port.ts';
import type { Observer } from '../invariants/observer.ts';
import type { SimulatedProcess } from '../kernel/process.ts';
import type { Faults } from './faults.ts';
import type { CallErrors, CallPort } from './port-calls.ts';
import {
  connectionError,
  networkError,
  throttled,
  transactionCancelledAt,
  transactionConflict,
} from './service-errors.ts';

const READ_ERRORS: CallErrors = {
  throttle: throttled,
  'error-before': connectionError,
  'lost-response': networkError,
  'delayed-request': networkError,
};
const WRITE_ERRORS: CallErrors = { ...READ_ERRORS, 'transaction-conflict': transactionConflict };

export function createFaultyDynamo(options: {
  process: SimulatedProcess;
  engine: Dynamo;
  call: CallPort;
  faults: Faults;
  observer: Observer;
  /** True time, milliseconds since 1970. */
  now: () => number;
  /** What the `Date` header of an answer says, and when this process sent and received, by its own clock. */
  onResponse: (serverDateMs: number, sentAtMs: number, receivedAtMs: number) => void;
}): Dynamo {
  const { process, engine, call, faults, observer, now, onResponse } = options;
  const { clock } = process.world;

  const send = async <T>(site: string, errors: CallErrors, apply: () => Promise<T>): Promise<T> => {
    const sentAtMs = clock.now();
    let answeredAtMs = 0;
    const observed = (): Promise<T> => {
      answeredAtMs = now();
      return observer.during(process.name, apply);
    };
    // HTTP dates are cut to whole seconds.
    const received = (): void => onResponse(Math.floor(answeredAtMs / 1_000) * 1_000, sentAtMs, clock.now());
    try {
      const answer = await call({ process, site, apply: observed, errors });
      received();
      return answer;
    } catch (error) {
      // An answer that never came tells nothing.
      if (answeredAtMs > 0 && (error as { code?: string }).code !== 'ECONNRESET') received();
      throw error;
    }
  };

  /** A write that the SDK sends twice: the second answer is the one that the caller sees. */
  const repeatable = <T>(site: string, apply: () => Promise<T>): (() => Promise<T>) => {
    if (!faults.strikes('repeated-request', site)) return apply;
    return () => {
      // Whatever the first one answered, nobody saw it.
      apply().catch(() => undefined);
      return apply();
    };
  };

  const read = <Input extends { TableName?: string }, Output>(name: string, run: (input: Input) => Promise<Output>) => {
    return (input: Input): Promise<Output> => send(`${name} ${input.TableName}`, READ_ERRORS, () => run(input));
  };

  const write = <Input extends { TableName?: string }, Output>(
    name: string,
    run: (input: Input) => Promise<Output>,
  ) => {
    return (input: Input): Promise<Output> => {
      const site = `${name} ${input.TableName}`;
      return send(
        site,
        WRITE_ERRORS,
        repeatable(site, () => run(input)),
      );
    };
  };

  return {
    get: read('get', engine.get),
    put: write('put', engine.put),
    update: write('update', engine.update),
    delete: write('delete', engine.delete),
    query: (input) => {
      const site = `query ${input.TableName}`;
      const short = input.Limit !== 1 && faults.strikes('short-page', site);
      const Limit = short ? Math.min(input.Limit ?? 3, faults.details('short-page').int(1, 3)) : input.Limit;
      return send(site, READ_ERRORS, () => engine.query({ ...input, ...(Limit !== undefined && { Limit }) }));
    },
    scan: read('scan', engine.scan),
    batchGet: (input) => {
      const site = 'batchGet';
      return send(site, READ_ERRORS, async () => {
        const [table] = Object.keys(input.RequestItems ?? {});
        const request = table === undefined ? undefined : input.RequestItems?.[table];
        const keys = request?.Keys ?? [];
        if (table === undefined || keys.length < 2 || !faults.strikes('partial-batch', site))
          return engine.batchGet(input);
        const cut = faults.details('partial-batch').int(1, keys.length - 1);
        const done = await engine.batchGet({ RequestItems: { [table]: { ...request, Keys: keys.slice(0, cut) } } });
        return { ...done, UnprocessedKeys: { [table]: { ...request, Keys: keys.slice(cut) } } };
      });
    },
    batchWrite: (input) => {
      const site = 'batchWrite';
      return send(site, READ_ERRORS, async () => {
        const [table] = Object.keys(input.RequestItems ?? {});
        const requests = table === undefined ? [] : (input.RequestItems?.[table] ?? []);
        if (table === undefined || requests.length < 2 || !faults.strikes('partial-batch', site)) {
          return engine.batchWrite(input);
        }
        const cut = faults.details('partial-batch').int(1, requests.length - 1);
        const done = await engine.batchWrite({ RequestItems: { [table]: requests.slice(0, cut) } });
        return { ...done, UnprocessedItems: { [table]: requests.slice(cut) } };
      });
    },
    transactWrite: (input) => {
      const items = input.TransactItems?.length ?? 0;
      const site = `transactWrite ${tablesOf(input.TransactItems ?? [])}`;
      const cancelled = (code: string, kind: 'transaction-conflict' | 'throttle') => (): Error =>
        transactionCancelledAt(faults.details(kind).int(0, Math.max(0, items - 1)), items, code);
      const errors: CallErrors = {
        ...WRITE_ERRORS,
        'transaction-conflict': cancelled('TransactionConflict', 'transaction-conflict'),
        throttle: cancelled('ThrottlingError', 'throttle'),
      };
      // The SDK gives every transaction a token, so that its own repetition is recognised by DynamoDB.
      const tokened = { ClientRequestToken: process.world.ids.next(), ...input };
      return send(
        site,
        errors,
        repeatable(site, () => engine.transactWrite(tokened)),
      );
    },
  };
}

type TransactItems = NonNullable<Parameters<Dynamo['transactWrite']>[0]['TransactItems']>;

const tablesOf = (items: TransactItems): string =>
  items
    .map(({ Put, Update, Delete, ConditionCheck }) => (Put ?? Update ?? Delete ?? ConditionCheck)?.TableName ?? '?')
    .join('+');
