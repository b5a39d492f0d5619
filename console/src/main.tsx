// Starts the console.
import { render } from 'preact';

import './style.css';

render(<main>Canh Gác</main>, document.getElementById('app')!);
