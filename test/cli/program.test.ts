import { describe, expect, it } from '@jest/globals';
import type { RegisterCommand } from '../../lib/cli/command.ts';
import type { Deployment } from '../../lib/cli/deployment.ts';
import { EXIT, type ExitCode } from '../../lib/cli/exit-codes.ts';
import { table } from '../../lib/cli/output.ts';
import { runProgram } from '../../lib/cli/program.ts';
import { EventRecoveryError, InvalidInputError } from '../../lib/model/errors.ts';

const deployment: Deployment = {
  value: async (key) => `value-of-${key}`,
  invoke: async <Answer>() => ({ ok: true }) as Answer,
};

async function run(argv: string[], action: () => Promise<ExitCode>) {
  const written = { stdout: '', stderr: '' };
  const register: RegisterCommand = (program, runAction) => {
    program.command('look').action((_options, command) =>
      runAction(command, async ({ output }) => {
        const code = await action();
        output.progress('looking');
        output.result({ found: 1 }, ({ found }) => `found ${found}`);
        output.next('npx event-recovery look again');
        return code;
      }),
    );
  };
  const code = await runProgram(argv, {
    commands: [register],
    deploymentOf: () => deployment,
    streams: {
      stdout: { write: (text) => (written.stdout += text) },
      stderr: { write: (text) => (written.stderr += text) },
    },
  });
  return { code, ...written };
}

describe("the operator's program", () => {
  it('prints data on stdout, progress on stderr, and ends with the next command', async () => {
    const { code, stdout, stderr } = await run(['look'], async () => EXIT.ok);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^found 1\n\nNext: .*npx event-recovery look again/);
    expect(stderr).toContain('looking');
  });

  it('prints exactly one JSON document with --json', async () => {
    const { stdout } = await run(['--json', 'look'], async () => EXIT.findings);
    expect(JSON.parse(stdout)).toEqual({ found: 1 });
  });

  it.each([
    [new InvalidInputError('X', { what: 'x', got: 1, allowed: '2', remedy: 'pass 2' }), EXIT.usage],
    [new EventRecoveryError('PLAN_STALE', 'changed'), EXIT.refused],
    [new EventRecoveryError('FUNCTION_FAILED', 'no', { retryable: true }), EXIT.unreachable],
    [Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }), EXIT.unreachable],
    [new Error('Region is missing'), EXIT.unreachable],
    [new Error('bug'), EXIT.internal],
  ])('turns %s into exit code %d', async (error, expected) => {
    const { code, stdout } = await run(['--json', 'look'], () => Promise.reject(error));
    expect(code).toBe(expected);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, error: { message: error.message } });
  });

  it('answers an unknown command and an unknown option with the usage code', async () => {
    expect((await run(['lok'], async () => EXIT.ok)).code).toBe(EXIT.usage);
    expect((await run(['look', '--nonsense'], async () => EXIT.ok)).code).toBe(EXIT.usage);
    expect((await run(['--help'], async () => EXIT.ok)).code).toBe(EXIT.ok);
  });

  it('keeps control characters of foreign data away from the terminal', () => {
    expect(table(['id'], [['a\u001b[2Jb']])).not.toContain('\u001b[2J');
  });
});
