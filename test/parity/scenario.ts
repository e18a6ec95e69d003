// A parity scenario of messaging: what somebody does with one service, and what must be seen. It is played on what stands for
// the service in memory and on the local engine; the expectation is AWS's documentation.

import { beforeAll, describe, expect, it } from '@jest/globals';

export interface Scenario<Settings, Subject> {
  name: string;
  settings: Settings;
  play(subject: Subject): Promise<unknown>;
  expected: unknown;
}

/** `close` is called when the scenario was played. */
export interface Opened<Subject> {
  subject: Subject;
  close?(): Promise<void> | void;
}

export type Open<Settings, Subject> = (settings: Settings) => Promise<Opened<Subject>>;

type Played = { seen: unknown } | { error: unknown };

/**
 * Plays scenarios of one engine at the same time: most of them wait, for a visibility timeout or a delay.
 * @param atOnce how many an engine bears
 */
export function playOn<Settings, Subject>(
  title: string,
  engines: Readonly<Record<string, Open<Settings, Subject>>>,
  scenarios: readonly Scenario<Settings, Subject>[],
  atOnce = scenarios.length,
): void {
  describe.each(Object.entries(engines))(`${title}, %s`, (_engine, open) => {
    const played: Played[] = [];
    beforeAll(async () => {
      const waiting = [...scenarios.entries()];
      const player = async (): Promise<void> => {
        for (let next = waiting.shift(); next; next = waiting.shift()) played[next[0]] = await play(open, next[1]);
      };
      await Promise.all(Array.from({ length: atOnce }, player));
    });

    it.each(scenarios.map((scenario, index) => ({ ...scenario, index })))('$name', ({ index, expected }) => {
      const one = played[index] as Played;
      if ('error' in one) throw one.error;
      expect(one.seen).toEqual(expected);
    });
  });
}

async function play<Settings, Subject>(
  open: Open<Settings, Subject>,
  { settings, play: act }: Scenario<Settings, Subject>,
): Promise<Played> {
  try {
    const { subject, close } = await open(settings);
    try {
      return { seen: await act(subject) };
    } finally {
      await close?.();
    }
  } catch (error) {
    return { error };
  }
}

/** What a call ended with: its value, or the error's name. */
export const endOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    (value) => value,
    (error: Error & { code?: string }) => error.code ?? error.name,
  );
