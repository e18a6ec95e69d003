// Jest's order, but system tests come first: they mostly wait, for visibility timeouts and grace periods, and other workers
// use the processor meanwhile. At the end of a run their waits would be waits of everybody.
import Sequencer from '@jest/test-sequencer';

const PROJECTS = ['system', 'dynamodb'];
const rank = ({ context }) => {
  const place = PROJECTS.indexOf(context.config.displayName?.name);
  return place === -1 ? PROJECTS.length : place;
};

export default class SystemTestsFirst extends Sequencer {
  sort(tests) {
    return super.sort(tests).sort((a, b) => rank(a) - rank(b));
  }
}
