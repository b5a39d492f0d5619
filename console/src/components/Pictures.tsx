// What a page of a site looked like: two pictures laid over each other with a divider between then and now, and all that
// are kept as a row to choose from. The pictures were made anew by us from pixels; a page's own bytes never come here.
import { useState } from 'preact/hooks';

import { useData } from '../data';
import { number, t } from '../i18n';
import { pictureFile, pictureWord, viewWord, type Picture, type Pictures as Kept } from '../sites';
import { Time } from './Time';

const clock = (picture: Picture): string => new Date(picture.last).toLocaleString('vi-VN', { timeZone: 'Asia/Ho_Chi_Minh', hour12: false });

/** The last that was in order before this one was first seen. */
function beforeOf(pictures: Picture[], after: Picture): Picture | undefined {
  return pictures.find((each) => each.number !== after.number && each.state === 'learned' && each.url === after.url && each.view === after.view
    && each.first < after.first);
}

function Overlay({ site, before, after }: { site: number; before: Picture; after: Picture }) {
  const [cut, setCut] = useState(50);
  const label = t('Divider between the picture before and after');
  return (
    <div class="overlay" style={{ '--cut': `${cut}%` }}>
      <div class="heads"><b>{t('Before')} <span class="quiet"><Time when={before.last} /></span></b><b>{t('After')} <span class="quiet"><Time when={after.first} /></span></b></div>
      <div class="stage">
        <img src={pictureFile(site, after.number)} alt={t('The page as it looked at {0}', clock(after))} />
        <img class="over" src={pictureFile(site, before.number)} alt={t('The page as it looked at {0}', clock(before))} />
      </div>
      <input class="divider" type="range" min={0} max={100} step={5} value={cut} aria-label={label} title={label}
        aria-valuetext={t('{0} % before', cut)} onInput={(event) => setCut(Number(event.currentTarget.value))} />
    </div>
  );
}

function Choice({ site, picture, isShown, onShow }: { site: number; picture: Picture; isShown: boolean; onShow: () => void }) {
  return (
    <li>
      <button aria-pressed={isShown} onClick={onShow}>
        <img src={pictureFile(site, picture.number)} alt="" loading="lazy" width={128} height={96} />
        <span><Time when={picture.last} /></span>
        <span class={picture.state === 'odd' ? 'high' : 'quiet'}>{pictureWord(picture)}</span>
      </button>
    </li>
  );
}

export function Pictures({ site }: { site: number }) {
  const { value } = useData<Kept>(`sites/${site}/pictures`, ['sites', 'alerts']);
  const [picked, setPicked] = useState(0);
  const kept = value?.items ?? [];
  const after = kept.find((each) => each.number === picked) ?? kept.find((each) => each.state === 'odd') ?? kept[0];
  const before = after && beforeOf(kept, after);
  if (!value || (value.browser && kept.length === 0)) return null;
  return (
    <section class="pictures" aria-labelledby="site-pictures">
      <h3 id="site-pictures">{t('What the page looked like')}</h3>
      {!value.browser && <p class="quiet">{t('No new pictures are taken: no Chromium is installed on the centre\'s machine (apt install chromium, then start the centre again).')}</p>}
      {after && (
        <p class="quiet">
          <code class="address">{after.url}</code> · {viewWord(after.view)} · {pictureWord(after)}
          {after.count > 1 && <> · {t('{0} times', number(after.count))}</>}
        </p>
      )}
      {after && before && <Overlay key={after.number} site={site} before={before} after={after} />}
      {after && !before && <img class="whole" src={pictureFile(site, after.number)} alt={t('The page as it looked at {0}', clock(after))} />}
      {kept.length > 1 && (
        <ol class="shots" aria-label={t('Pictures, the last first')}>
          {kept.map((each) => <Choice key={each.number} site={site} picture={each} isShown={each.number === after?.number} onShow={() => setPicked(each.number)} />)}
        </ol>
      )}
    </section>
  );
}
