"""Long runs, watched: does the job leak, slow down or lose anything?"""
