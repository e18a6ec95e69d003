// Values that are there at once, or later. Awaiting what is there already costs each event of a long stream some turns of the
// loop, and a react that returns at once is the common case: so only what is a promise is waited for.

export type AtOnceOrLater<Value> = Value | Promise<Value>;

/** @example return whenThere(tryReact(batch, session, event, options), (end) => afterTry(run, next, end)); */
export const whenThere = <Value, Result>(
  value: AtOnceOrLater<Value>,
  then: (value: Value) => AtOnceOrLater<Result>,
): AtOnceOrLater<Result> => (isPromise(value) ? value.then(then) : then(value));

export const isPromise = <Value>(value: Value | PromiseLike<Value>): value is PromiseLike<Value> & Promise<Value> =>
  typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
