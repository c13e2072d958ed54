// The pipeline's page is kept alive as it is; everything on it is text of the server.

import { keepLive } from "../live.js";

keepLive(document.getElementById("live"));
