// What was just done, at the foot of the screen, with the time left to take it back.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

import { wordsOf } from '../api';
import { t } from '../i18n';
import { addKeys } from '../keys';
import { dismiss, notices, tell, type Notice } from '../notice';

async function undo(notice: Notice): Promise<void> {
  dismiss(notice.id);
  try {
    await notice.undo?.run();
    tell(t('Taken back: {0}', notice.text));
  } catch (reason) {
    tell(wordsOf(reason), undefined, true);
  }
}

function Line({ notice, now }: { notice: Notice; now: number }) {
  const left = Math.max(0, Math.ceil((notice.until - now) / 1000));
  return (
    <div class={notice.isError ? 'notice bad' : 'notice'}>
      <span>{notice.text}</span>
      {notice.undo && (
        <button onClick={() => void undo(notice)}>
          {notice.undo.label} <span aria-hidden="true">({left})</span>
        </button>
      )}
      <button class="plain" aria-label={t('Close')} onClick={() => dismiss(notice.id)}>✕</button>
    </div>
  );
}

export function Notices() {
  const [now, setNow] = useState(Date.now());
  const isEmpty = notices.value.length === 0;
  const foot = useRef<HTMLDivElement>(null);
  // On a phone they stand over the whole width: what is above gives way, so that nothing of it is covered.
  useLayoutEffect(() => {
    if (!foot.current) return undefined;
    const watch = new ResizeObserver(([entry]) => document.documentElement.style.setProperty('--notices', `${entry!.target.clientHeight}px`));
    watch.observe(foot.current);
    return () => watch.disconnect();
  }, []);
  useEffect(() => {
    if (isEmpty) return undefined;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, [isEmpty, notices.value]);
  useEffect(
    () =>
      addKeys([
        {
          key: 'z',
          what: t('Take back what was just done'),
          run: () => {
            const last = [...notices.value].reverse().find((notice) => notice.undo);
            if (last) void undo(last);
          },
        },
      ]),
    [],
  );
  return (
    <div class="notices" role="status" ref={foot}>
      {notices.value.map((notice) => <Line key={notice.id} notice={notice} now={now} />)}
    </div>
  );
}
