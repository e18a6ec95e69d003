// What a deployed drill appends: four streams, each with a failure of its own in it but for the first. Pure.

import { DRILL_STREAM_PREFIX } from '../../../model/ids.ts';
import type { PlannedStream } from '../workload.ts';
import { STEP, type StepData, UNHEARD_STEP } from './rehearsal.ts';

export const EVENTS_EACH = 8;
/** Version of the event that fails, or ends the function. */
export const TROUBLE_VERSION = 4;
/** From this version on nobody is told of the fourth stream's events. */
export const UNHEARD_FROM = 6;

export interface DrillPlan {
  clean: PlannedStream;
  failing: PlannedStream;
  deadly: PlannedStream;
  unheard: PlannedStream;
}

export const prefixOf = (runId: string): string => `${DRILL_STREAM_PREFIX}${runId}-`;

/** @param runId letters, digits and dashes; unique per run */
export function planDrill(runId: string): DrillPlan {
  const stream = (name: string, of: (version: number) => { type?: string; trouble?: StepData['trouble'] }) => {
    const streamId = `${prefixOf(runId)}${name}`;
    const events = Array.from({ length: EVENTS_EACH }, (_event, index) => {
      const { type = STEP, trouble } = of(index + 1);
      return { id: `${streamId}-${index + 1}`, type, data: { runId, ...(trouble && { trouble }) } };
    });
    return { streamId, events };
  };
  const at = (trouble: StepData['trouble']) => (version: number) => (version === TROUBLE_VERSION ? { trouble } : {});
  return {
    clean: stream('clean', () => ({})),
    failing: stream('failing', at('fails')),
    deadly: stream('deadly', at('dies')),
    unheard: stream('unheard', (version) => (version >= UNHEARD_FROM ? { type: UNHEARD_STEP } : {})),
  };
}

export const streamsOf = (plan: DrillPlan): PlannedStream[] => Object.values(plan) as PlannedStream[];
