// A ransom case at a glance: processes → files → stopped → restored, one picture, readable as text too.
import type { Finding } from '../api';
import { number, t } from '../i18n';

interface Step {
  shape: string;
  tone: string;
  head: string;
  body: string;
}

const base = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
const clip = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

function processStep(finding: Finding): Step {
  const count = Math.max(1, finding.group.length);
  return {
    shape: '▣',
    tone: 'ink',
    head: clip(base(finding.process.exe) || finding.process.cmdline || `pid ${finding.process.pid}`, 18),
    body: `${count === 1 ? t('1 process') : t('{0} processes', number(count))} · ${finding.process.user}`,
  };
}

function fileStep(finding: Finding): Step {
  return {
    shape: '◆',
    tone: finding.severity,
    head: finding.files_total === 1 ? t('1 file touched') : t('{0} files touched', number(finding.files_total)),
    body: finding.files[0] ? clip(base(finding.files[0].path), 24) : '',
  };
}

function stopStep(finding: Finding): Step {
  const isStopped = finding.action.kind !== 'none';
  return {
    shape: isStopped ? '■' : '○',
    tone: isStopped ? 'good' : 'high',
    head: isStopped ? t('Stopped') : t('Not stopped'),
    body: isStopped ? t('after {0} ms', number(Math.round(finding.action.ms))) : t('detection only'),
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
  };
}

export function Storyline({ finding }: { finding: Finding }) {
  const steps = [processStep(finding), fileStep(finding), stopStep(finding), restoreStep(finding)];
  const width = 176;
  const label = steps.map((step) => `${step.head} (${step.body})`).join(' → ');
  return (
    <svg class="storyline" viewBox={`0 0 ${width * steps.length} 92`} role="img" aria-label={label}>
      {steps.map((step, i) => (
        <g key={step.head} transform={`translate(${i * width} 0)`}>
          {i > 0 && <path class="arrow" d="M-52 22 H-8 m-7 -5 l7 5 l-7 5" />}
          <circle class={`node ${step.tone}`} cx="56" cy="22" r="20" />
          <text class={`shape ${step.tone}`} x="56" y="29" text-anchor="middle">{step.shape}</text>
          <text class="head" x="56" y="62" text-anchor="middle">{step.head}</text>
          <text class="body" x="56" y="80" text-anchor="middle">{step.body}</text>
        </g>
      ))}
    </svg>
  );
}
