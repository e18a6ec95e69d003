// Tracing as code sees it: a named span around a piece of asynchronous work. Spans may run side by side; a span never
// changes the result or the error of its work.

export type Annotations = Readonly<Record<string, string | number | boolean>>;

export interface Tracing {
  /**
   * Run `work` inside a span. Annotations are searchable; a rejection marks the span as failed and is passed on.
   * @example await tracing.span('catch-up', { streamId }, () => catchUp(streamId));
   */
  span<T>(name: string, annotations: Annotations, work: () => Promise<T>): Promise<T>;
  /** Record the calls of an AWS SDK client. Returns the same client. */
  captureClient<Client>(client: Client): Client;
}

/** Traces nothing. */
export const silentTracing: Tracing = {
  span: (_name, _annotations, work) => work(),
  captureClient: (client) => client,
};

export interface RecordedSpan {
  name: string;
  annotations: Annotations;
  outcome: 'running' | 'done' | 'failed';
}

export interface RecordingTracing extends Tracing {
  /** Spans in the order in which they began. Grows without bound: for tests. */
  readonly spans: RecordedSpan[];
}

/** @example const tracing = recordingTracing(); await run(tracing); expect(tracing.spans[0]?.outcome).toBe('done'); */
export function recordingTracing(): RecordingTracing {
  const spans: RecordedSpan[] = [];
  return {
    spans,
    captureClient: (client) => client,
    async span(name, annotations, work) {
      const span: RecordedSpan = { name, annotations, outcome: 'running' };
      spans.push(span);
      try {
        const result = await work();
        span.outcome = 'done';
        return result;
      } catch (error) {
        span.outcome = 'failed';
        throw error;
      }
    },
  };
}
