// The phases as a track, from off to retired.

import { h } from './dom.js';

const PHASES = ['off', 'sync', 'shadow', 'canary', 'reads-new', 'cutover', 'new-primary', 'complete', 'retired'];
/** Phases of the data side: a migration of reads alone does not go through them. */
const OF_DATA = ['sync', 'cutover', 'new-primary'];

export function track(value) {
  const at = PHASES.indexOf(value.phase);
  const movesData = OF_DATA.includes(value.phase);
  const item = (phase, index) => {
    const apart = OF_DATA.includes(phase) && !movesData;
    const state = index === at ? 'here' : index < at && !apart ? 'past' : '';
    const said = index === at ? 'the present phase' : apart ? 'not on this way' : index < at ? 'passed' : 'to come';
    return h('li', { class: `${state} ${apart ? 'apart' : ''}`, 'aria-current': index === at ? 'step' : null, title: said },
      phase, phase === 'canary' && index === at && value.step ? ` ${value.step.at}/${value.step.of}` : '');
  };
  return [
    h('ol', { class: 'track', id: 'track', 'aria-label': 'Phases', tabindex: '0' }, PHASES.map(item)),
    !movesData && h('p', { class: 'quiet small' }, 'Dashed: phases of moving data, not on this migration’s way.'),
  ];
}
