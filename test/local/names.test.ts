import { describe, expect, it } from '@jest/globals';
import { byName, physicalName } from '../../lib/local/names.ts';

const functions = [
  {
    name: 'Example-Inventory',
    logicalId: 'Inventory4D3B',
    path: 'Example/Inventory/Function/Resource',
    aliases: ['inventory'],
  },
  {
    name: 'Example-Notification',
    logicalId: 'Notification70A9',
    path: 'Example/Notification/Function/Resource',
    aliases: ['notification'],
  },
];

describe('names', () => {
  it.each(['Example-Inventory', 'inventory', 'Inventory4D3B', 'Inventory'])('"%s" means the inventory', (name) => {
    expect(byName(functions, name, 'function').name).toBe('Example-Inventory');
  });

  it('tells what there is when a name means nothing, or too much', () => {
    expect(() => byName(functions, 'invoice', 'function')).toThrow('inventory, notification');
    expect(() => byName(functions, 'Function', 'function')).toThrow(
      expect.objectContaining({ code: 'LOCAL_AMBIGUOUS_NAME' }),
    );
  });

  it('stays within the limit of a service and unique', () => {
    const long = 'x'.repeat(80);
    const names = ['a', 'b'].map((end) => physicalName('Stack', long + end, 64));
    expect(names.every((name) => name.length === 64)).toBe(true);
    expect(names[0]).not.toBe(names[1]);
    expect(physicalName('Stack', 'Queue', 64)).toBe('Stack-Queue');
  });
});
