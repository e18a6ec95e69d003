import { describe, expect, it } from '@jest/globals';
import { EventRecoveryError } from '../../../lib/model/errors.ts';
import { recoverWhenFree } from '../../../lib/recovery/drill/recover-when-free.ts';
import type { RecoveryRun } from '../../../lib/recovery/recover/run-recovery.ts';

const run = { result: 'recovered' } as RecoveryRun;
const failed = (error: string) => new EventRecoveryError('RECOVERY_FAILED', error, { facts: { error } });

describe('a recovery of a drill', () => {
  it('waits while another one is at work', async () => {
    let tries = 0;
    const recover = async (): Promise<RecoveryRun> => {
      tries += 1;
      if (tries < 3) throw failed('AlreadyRecovering');
      return run;
    };
    expect(await recoverWhenFree(recover, 1)).toBe(run);
    expect(tries).toBe(3);
  });

  it('that fails for another reason fails at once', async () => {
    let tries = 0;
    const recover = async (): Promise<RecoveryRun> => {
      tries += 1;
      throw failed('ValidationFailed');
    };
    await expect(recoverWhenFree(recover, 1)).rejects.toMatchObject({ facts: { error: 'ValidationFailed' } });
    expect(tries).toBe(1);
  });
});
