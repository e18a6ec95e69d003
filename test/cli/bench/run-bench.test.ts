import { describe, expect, it } from '@jest/globals';
import { findScenarios, runBench } from '../../../lib/cli/bench/run-bench.ts';
import type { BenchResult, Scenario } from '../../../lib/cli/bench/scenario.ts';

const result = (scenario: string): BenchResult => ({
  scenario,
  subject: 'ours',
  metric: 'rate',
  unit: 'commits/s',
  value: 900,
  ratioToLimit: 0.9,
});

const scenario = (name: string, broken: string[] = []): Scenario & { efforts: number[] } => {
  const efforts: number[] = [];
  return {
    name,
    what: `measures ${name}`,
    efforts,
    async run({ effort, progress }) {
      efforts.push(effort);
      progress('working');
      return { results: [result(name)], broken };
    },
  };
};

function sink() {
  const written = { stdout: '', stderr: '' };
  const into = (name: keyof typeof written) => ({
    write: (text: string) => {
      written[name] += text;
    },
  });
  return { written, streams: { stdout: into('stdout'), stderr: into('stderr') } };
}

describe('npm run bench', () => {
  it('prints exactly one JSON document on stdout and its progress on stderr', async () => {
    const { written, streams } = sink();
    expect(await runBench(['--json'], streams, [scenario('a'), scenario('b')])).toBe(0);
    expect(JSON.parse(written.stdout)).toEqual({ ok: true, results: [result('a'), result('b')], broken: [] });
    expect(written.stderr).toContain('a: working');
  });

  it('ends with 1 and says which limit when one is broken', async () => {
    const { written, streams } = sink();
    expect(await runBench([], streams, [scenario('a'), scenario('b', ['too slow'])])).toBe(1);
    expect(written.stdout).toContain('b: too slow');
    expect(written.stdout).toMatch(/commits\/s\s+0\.90/);
  });

  it('runs only what was asked for, with the effort that was asked for', async () => {
    const [a, b] = [scenario('a'), scenario('b')];
    expect(await runBench(['--only', 'b', '--effort', '0.1'], sink().streams, [a, b])).toBe(0);
    expect([a.efforts, b.efforts]).toEqual([[], [0.1]]);
  });

  it('lists the scenarios without running them', async () => {
    const { written, streams } = sink();
    const a = scenario('a');
    expect(await runBench(['--list', '--json'], streams, [a])).toBe(0);
    expect(JSON.parse(written.stdout)).toEqual([{ name: 'a', what: 'measures a' }]);
    expect(a.efforts).toEqual([]);
  });

  it.each([[['--only', 'c']], [['--effort', '0']], [['--effort', 'much']], [['--fast']], [['a']]])(
    'refuses %j with exit code 2 and runs nothing',
    async (argv) => {
      const { written, streams } = sink();
      const a = scenario('a');
      expect(await runBench(argv, streams, [a])).toBe(2);
      expect(written.stdout).toBe('');
      expect(written.stderr).toContain('Usage: npm run bench');
      expect(a.efforts).toEqual([]);
    },
  );

  it('finds every scenario by its file, each with a name of its own', async () => {
    const found = await findScenarios();
    const names = found.map(({ name }) => name);
    expect(names).toContain('append');
    expect(new Set(names).size).toBe(names.length);
    for (const { what, run } of found) expect([typeof what, typeof run]).toEqual(['string', 'function']);
  });
});
