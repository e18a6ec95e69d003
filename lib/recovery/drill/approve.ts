// The person of a drill who approves: when the recovery stands in AskApproval, the deployed function is asked to let it go on.

import type { DrillSystem } from './system.ts';
import { waitUntil } from './wait-until.ts';

const DECIDE = 'DecideApproval';

interface Answer {
  error?: { code: string; message: string };
  question?: string;
  what?: string[];
}

/** `onState` for a recovery; what goes wrong is told, and the recovery then times out. */
export function approving(system: Pick<DrillSystem, 'invoke'>, progress: (text: string) => void) {
  const answered = new Set<string>();
  const approve = async (id: string): Promise<void> => {
    const { what = [], question = id } = await waitUntil('the question of the recovery', async () => {
      const answer = (await system.invoke(DECIDE, { decision: 'approve', id, requestedBy: 'drill' })) as Answer;
      // The state was entered, and its function has not asked yet.
      if (answer.error?.code === 'APPROVAL_UNKNOWN') return undefined;
      if (answer.question !== undefined && answered.has(answer.question)) return undefined;
      if (answer.error !== undefined) throw new Error(`${answer.error.code}: ${answer.error.message}`);
      return answer;
    });
    answered.add(question);
    progress(`approved: ${what.join('; ')}`);
  };
  return {
    onState(name: string, id: string): void {
      if (name !== 'AskApproval') return;
      void approve(id).catch((error: Error) => progress(`the approval failed: ${error.message}`));
    },
  };
}
