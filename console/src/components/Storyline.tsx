// A ransom case at a glance: processes → files → stopped → restored, one picture, across or, where there is no room,
// downwards. Each step leads to its evidence and is read out as words.
import type { Finding } from '../api';
import { number, t } from '../i18n';
import { isNarrow } from '../screen';

interface Step {
  shape: string;
  tone: string;
  head: string;
  body: string;
  section: string; // id of the part of the sheet that proves it
}

const base = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
const clip = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

function processStep(finding: Finding, most: number): Step {
  const count = Math.max(1, finding.group.length);
  return {
    shape: '▣',
    tone: 'ink',
    head: clip(base(finding.process.exe) || finding.process.cmdline || `pid ${finding.process.pid}`, most),
    body: `${count === 1 ? t('1 process') : t('{0} processes', number(count))} · ${finding.process.user}`,
    section: 'sheet-process',
  };
}

function fileStep(finding: Finding, most: number): Step {
  return {
    shape: '◆',
    tone: finding.severity,
    head: finding.files_total === 1 ? t('1 file touched') : t('{0} files touched', number(finding.files_total)),
    body: finding.files[0] ? clip(base(finding.files[0].path), most) : '',
    section: 'sheet-files',
  };
}

function stopStep(finding: Finding): Step {
  const isStopped = finding.action.kind !== 'none';
  const heads: Record<string, string> = { paused: t('Stopped, waits for you'), resumed: t('Resumed'), killed: t('Ended') };
  return {
    shape: isStopped ? '■' : '○',
    tone: isStopped && finding.action.kind !== 'resumed' ? 'good' : 'high',
    head: heads[finding.action.kind] ?? (isStopped ? t('Stopped') : t('Not stopped')),
    body: isStopped ? t('stopped after {0} ms', number(Math.round(finding.action.ms))) : t('detection only'),
    section: 'sheet-done',
  };
}

function restoreStep(finding: Finding): Step {
  const lost = finding.files.filter((file) => file.outcome !== 'product' && !file.restored).length;
  const isWhole = finding.files_restored > 0 && lost === 0;
  return {
    shape: isWhole ? '✓' : '○',
    tone: isWhole ? 'good' : 'quiet',
    head: t('{0} restored', number(finding.files_restored)),
    body: isWhole ? t('nothing lost') : lost === 0 ? '' : t('{0} still to restore', number(lost)),
    section: 'sheet-files',
  };
}

function jump(section: string): void {
  const target = document.getElementById(section);
  target?.scrollIntoView({ block: 'start' });
  target?.focus({ preventScroll: true });
}

const across = { step: 176, height: 100, x: 88, y: 24, head: [88, 64], body: [88, 84], anchor: 'middle', arrow: 'M-56 24 H56 m-7 -5 l7 5 l-7 5' };
const down = { step: 68, height: 68, x: 24, y: 28, head: [60, 24], body: [60, 46], anchor: 'start', arrow: 'M24 -17 v18 m-5 -6 l5 6 l5 -6' };

export function Storyline({ finding }: { finding: Finding }) {
  const isTall = isNarrow.value;
  const shape = isTall ? down : across;
  const most = isTall ? 32 : 22;
  const steps = [processStep(finding, most), fileStep(finding, most), stopStep(finding), restoreStep(finding)];
  const box = isTall ? `0 0 340 ${down.step * steps.length}` : `0 0 ${across.step * steps.length} ${across.height}`;
  return (
    <svg class={isTall ? 'storyline tall' : 'storyline'} viewBox={box} role="list" aria-label={t('How it went')}>
      {steps.map((step, i) => (
        <g key={i} role="listitem" transform={isTall ? `translate(0 ${i * down.step})` : `translate(${i * across.step} 0)`}>
          {i > 0 && <path class="arrow" d={shape.arrow} />}
          <a class="step" role="button" tabindex={0} aria-label={`${step.head}. ${step.body}`} onClick={() => jump(step.section)}
            onKeyDown={(event) => {
              if (event.key !== 'Enter' && event.key !== ' ') return;
              event.preventDefault();
              jump(step.section);
            }}>
            <rect class="touch" x="1" y="1" width={isTall ? 338 : across.step - 2} height={shape.height - 4} />
            <circle class={`node ${step.tone}`} cx={shape.x} cy={shape.y} r="20" />
            <text class={`shape ${step.tone}`} x={shape.x} y={shape.y + 7} text-anchor="middle">{step.shape}</text>
            <text class="head" x={shape.head[0]} y={shape.head[1]} text-anchor={shape.anchor}>{step.head}</text>
            <text class="body" x={shape.body[0]} y={shape.body[1]} text-anchor={shape.anchor}>{step.body}</text>
          </a>
        </g>
      ))}
    </svg>
  );
}
