import sys

from picfusion_site.client.main import main

sys.exit(main())
